import { createHash } from 'node:crypto';

/** SHA-256 in lower-case hexadecimal. */
export function sha256Hex(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** A version for content: equal bytes give equal versions on every replica and after every restart. 128 bits of SHA-256. */
export function contentVersion(...parts: (string | Uint8Array)[]): string {
  return sha256Hex(...parts).slice(0, 32);
}
