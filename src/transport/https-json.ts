import { request } from 'node:https';
import { type JsonAnswer, jsonAnswer } from './json-exchange.js';

export interface HttpsRequest {
  readonly url: URL;
  /** PEM: the only authorities that the server's certificate is verified by. */
  readonly ca: string;
  /** For the `authorization` header. **Secret.** */
  readonly bearerToken: string;
  /** Sent as JSON with POST; without it the method is GET. */
  readonly body?: unknown;
  /** Of the whole exchange; milliseconds. */
  readonly timeoutMs: number;
  /** The most that an answer may hold. */
  readonly maxBytes: number;
}

/**
 * One request to a JSON API over TLS 1.2 or later, on a connection of its own. A redirect is an answer like any other and is
 * never followed (S14). Throws TRN0401 when there is no answer, or none in JSON, in time and size.
 */
export async function httpsJson(options: HttpsRequest): Promise<JsonAnswer> {
  const { url, ca, bearerToken, body, timeoutMs, maxBytes } = options;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${bearerToken}`,
    ...(text === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  };
  const method = text === undefined ? 'GET' : 'POST';
  return jsonAnswer({ origin: url.origin, text, timeoutMs, maxBytes }, (signal) =>
    request(url, { ca, headers, method, signal, agent: false, minVersion: 'TLSv1.2' }),
  );
}
