import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** One line of the access log that examples/envoy-configs tells Envoy to write, as far as the demo reads it. */
export interface AccessLine {
  readonly event: string;
  readonly caller: string | null;
  readonly method: string | null;
  readonly path: string | null;
  readonly code: number | null;
  /** The rule of the policy that decided; null when no rule was asked, as for a malformed request. */
  readonly rule: string | null;
}

export interface AccessLog {
  /** Passes over everything that was logged so far. */
  skip(): void;
  /** The next line that `isIt` recognises, or `undefined` when none comes within a second. */
  next(isIt: (line: AccessLine) => boolean): Promise<AccessLine | undefined>;
}

/** Reads an access log as Envoy appends to it (every 20 ms, as the demo starts it). */
export function followAccessLog(path: string): AccessLog {
  let offset = 0;
  const unread: AccessLine[] = [];
  const readOn = () => {
    const text = textFrom(path, offset);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    offset += Buffer.byteLength(whole);
    for (const line of whole.split('\n').filter(Boolean)) unread.push(JSON.parse(line) as AccessLine);
  };
  return {
    skip: () => {
      readOn();
      unread.length = 0;
    },
    next: async (isIt) => {
      const deadline = performance.now() + 1_000;
      while (performance.now() < deadline) {
        readOn();
        const index = unread.findIndex(isIt);
        if (index >= 0) return unread.splice(0, index + 1).at(-1);
        await sleep(10);
      }
      return undefined;
    },
  };
}

function textFrom(path: string, offset: number): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - offset));
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset)).toString('utf8');
  } finally {
    closeSync(file);
  }
}
