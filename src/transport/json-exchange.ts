import type { ClientRequest } from 'node:http';
import { fault } from '../base/faults/fault.js';
import { type Json, MalformedJson, parseJson } from '../base/json.js';

export interface Exchange {
  /** Whom to name when there is no answer. */
  readonly origin: string;
  /** The body of the request. */
  readonly text?: string | undefined;
  /** Of the whole exchange; milliseconds. */
  readonly timeoutMs: number;
  /** The most that an answer may hold. */
  readonly maxBytes: number;
}

export interface JsonAnswer {
  readonly status: number;
  readonly body: Json;
}

/** Sends a request and reads its answer. Throws TRN0401 when there is none, or none in JSON, in time and size. */
export async function jsonAnswer(
  options: Exchange,
  send: (signal: AbortSignal) => ClientRequest,
): Promise<JsonAnswer> {
  try {
    const { status, text } = await exchange(options, send);
    return { status, body: parseJson(text) };
  } catch (cause) {
    throw fault('TRN0401', { origin: options.origin, problem: problemOf(cause) }, { cause });
  }
}

function exchange(
  { text, timeoutMs, maxBytes }: Exchange,
  send: (signal: AbortSignal) => ClientRequest,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = send(AbortSignal.timeout(timeoutMs));
    sent.on('error', reject);
    sent.on('response', (response) => {
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
    });
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
