import { createHash, randomBytes } from 'node:crypto';
import { fault } from '../../../base/faults/fault.js';

export const joinTokenType = 'join_token';

/** 192 bits at random, as text that can stand in a SPIFFE ID. **Secret** until it is redeemed. */
export function newJoinToken(): string {
  return randomBytes(24).toString('hex');
}

/** 128 bits in the densest writing that a SPIFFE ID allows. */
const minCharacters = 22;
const maxCharacters = 255;

/**
 * Holds a token that somebody chose to the rules: characters that can stand in a SPIFFE ID as they are (S2), and enough of
 * them that it can be unguessable (S11). Throws ATT0203.
 */
export function checkJoinToken(token: string): string {
  const problem = problemOf(token);
  if (problem !== undefined) throw fault('ATT0203', { problem });
  return token;
}

/** Under which a token is kept and found: whoever reads the store cannot use it, and no guess takes longer than another. */
export function joinTokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function problemOf(token: string): string | undefined {
  if (/[^A-Za-z0-9_-]/u.test(token)) return 'has other characters than a-z, A-Z, 0-9, dash and underscore';
  if (token.length < minCharacters) return `is shorter than ${minCharacters} characters`;
  if (token.length > maxCharacters) return `is longer than ${maxCharacters} characters`;
  return undefined;
}
