import { request } from 'node:http';
import { type JsonAnswer, jsonAnswer } from './json-exchange.js';

export interface LocalRequest {
  /** A unix socket, or a port of this very machine (127.0.0.1). */
  readonly at: { readonly socket: string } | { readonly port: number };
  /** Path and query. */
  readonly path: string;
  /** Of the whole exchange; milliseconds. */
  readonly timeoutMs: number;
  /** The most that an answer may hold. */
  readonly maxBytes: number;
}

/**
 * One GET request to a JSON API of this machine, without TLS, on a connection of its own; redirects are never followed (S14).
 * Throws TRN0401 when there is no answer, or none in JSON, in time and size.
 */
export async function localJson({ at, path, timeoutMs, maxBytes }: LocalRequest): Promise<JsonAnswer> {
  const where = 'socket' in at ? { socketPath: at.socket } : { host: '127.0.0.1', port: at.port };
  const origin = 'socket' in at ? at.socket : `http://127.0.0.1:${at.port}`;
  const headers = { accept: 'application/json', host: 'localhost' };
  return jsonAnswer({ origin, timeoutMs, maxBytes }, (signal) =>
    request({ ...where, path, headers, signal, agent: false }),
  );
}
