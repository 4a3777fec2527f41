import { checkEntry } from '../../src/registration/check-entry.js';
import type { EntryContent } from '../../src/registration/entry.js';
import type { IdentifiedContent } from '../../src/registration/plan.js';
import { parseSelector } from '../../src/registration/selector.js';
import type { Attestation } from '../../src/server/ports.js';
import { parseSpiffeId, parseTrustDomain } from '../../src/spiffe/id.js';

// What tests of the store put into it.

const trustDomain = parseTrustDomain('shop.example');

/** An agent that attested with the join token `t`. */
export const agentId = parseSpiffeId('spiffe://shop.example/spire/agent/join_token/t');

/** An entry under `/node/demo`. */
export function entryContent(path: string, ...selectors: string[]): EntryContent {
  const parentId = 'spiffe://shop.example/node/demo';
  return checkEntry(
    { spiffeId: `spiffe://shop.example${path}`, parentId, selectors: selectors.map(parseSelector) },
    trustDomain,
  );
}

/** An entry with this ID, of the path of the same name. */
export function namedEntry(id: string): IdentifiedContent {
  return { ...entryContent(`/${id}`, 'unix:uid:1'), id };
}

/** That agent, with this serial number; `expiresAt` in milliseconds since the Unix epoch. */
export function attestation(serial: string, expiresAt = 1_700_000_600_000): Attestation {
  return {
    agent: {
      id: agentId,
      attestationType: 'join_token',
      selectors: [],
      canReattest: false,
      serial,
      expiresAt,
    },
  };
}
