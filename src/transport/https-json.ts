import { request } from 'node:https';
import { fault } from '../base/faults/fault.js';
import { type Json, MalformedJson, parseJson } from '../base/json.js';

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

export interface HttpsAnswer {
  readonly status: number;
  readonly body: Json;
}

/**
 * One request to a JSON API over TLS 1.2 or later, on a connection of its own. A redirect is an answer like any other and is
 * never followed (S14). Throws TRN0401 when there is no answer, or none in JSON, in time and size.
 */
export async function httpsJson(options: HttpsRequest): Promise<HttpsAnswer> {
  const { origin } = options.url;
  try {
    const { status, text } = await exchange(options);
    return { status, body: parseJson(text) };
  } catch (cause) {
    throw fault('TRN0401', { origin, problem: problemOf(cause) }, { cause });
  }
}

function exchange(options: HttpsRequest): Promise<{ status: number; text: string }> {
  const { url, ca, bearerToken, body, timeoutMs, maxBytes } = options;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${bearerToken}`,
    ...(text === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  };
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        ...{ ca, headers, signal, agent: false, minVersion: 'TLSv1.2' },
        method: text === undefined ? 'GET' : 'POST',
      },
      (response) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        response.on('data', (part: Buffer) => {
          bytes += part.length;
          parts.push(part);
          if (bytes <= maxBytes) return;
          reject(new Error(`its answer has more than ${maxBytes} bytes`));
          sent.destroy();
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(text);
  });
}

function problemOf(cause: unknown): string {
  if (cause instanceof MalformedJson) return 'its answer is not JSON';
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as NodeJS.ErrnoException;
  if (cause.name === 'AbortError' || cause.name === 'TimeoutError') return 'it did not answer in time';
  return code ?? cause.message;
}
