import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../base/faults/fault.js';
import { parseSelector } from '../../registration/selector.js';
import { parseSpiffeId } from '../../spiffe/id.js';
import type { AgentRecord } from '../ports.js';
import { agentFilter } from './agent-filter.js';

const agent = (name: string, more: Partial<AgentRecord> = {}): AgentRecord => ({
  id: parseSpiffeId(`spiffe://shop.example/spire/agent/${name}`),
  attestationType: 'join_token',
  selectors: [],
  canReattest: false,
  banned: false,
  serial: '1',
  expiresAt: Date.parse('2027-01-01T00:00:00Z'),
  nextSerial: '',
  nextExpiresAt: 0,
  version: '',
  ...more,
});

const agents = [
  agent('plain'),
  agent('banned', { banned: true }),
  agent('x509pop', {
    attestationType: 'x509pop',
    canReattest: true,
    selectors: [parseSelector('x509pop:cn:a')],
  }),
  agent('old', { expiresAt: Date.parse('2026-01-01T00:00:00Z') }),
];

function found(filter: Parameters<typeof agentFilter>[0]): string[] {
  return agents.filter(agentFilter(filter)).map(({ id }) => id.slice(id.lastIndexOf('/') + 1));
}

test('a filter lets through what it speaks of, and everything that it does not', () => {
  assert.equal(found(undefined).length, agents.length);
  assert.equal(found({}).length, agents.length);
  assert.deepEqual(found({ by_attestation_type: 'x509pop' }), ['x509pop']);
  assert.deepEqual(found({ by_banned: { value: true } }), ['banned']);
  assert.deepEqual(found({ by_banned: {} }), ['plain', 'x509pop', 'old']);
  assert.deepEqual(found({ by_can_reattest: { value: true } }), ['x509pop']);
  const selectors = [{ type: 'x509pop', value: 'cn:a' }];
  assert.deepEqual(found({ by_selector_match: { selectors, match: 'MATCH_ANY' } }), ['x509pop']);
});

test('the end of an SVID is compared with a time as Go or ISO 8601 writes it; anything else is refused', () => {
  for (const by_expires_before of [
    '2026-06-01 00:00:00 +0000 UTC',
    '2026-06-01 02:00:00.5 +0200 CEST',
    '2026-06-01T00:00:00Z',
  ]) {
    assert.deepEqual(found({ by_expires_before }), ['old'], by_expires_before);
  }
  assert.throws(
    () => found({ by_expires_before: 'soon' }),
    (error) => isFault(error, 'SRV0204'),
  );
});
