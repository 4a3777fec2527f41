import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
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

test('a filter lets through what all of its parts let through, each in its own way', () => {
  const type = fc.constantFrom('join_token', 'x509pop');
  const values = fc.constantFrom('1', '2', '3');
  const some = fc
    .record({
      attestationType: type,
      banned: fc.boolean(),
      canReattest: fc.boolean(),
      selectors: fc.uniqueArray(values),
      expiresAt: fc.constantFrom(Date.UTC(2026), Date.UTC(2027)),
    })
    .map(({ selectors, ...more }) => {
      return agent('any', { ...more, selectors: selectors.map((value) => ({ type: 'n', value })) });
    });
  const flag = fc.boolean().map((value) => ({ value }));
  const filters = fc.record(
    {
      by_attestation_type: type,
      by_banned: flag,
      by_can_reattest: flag,
      by_expires_before: fc.constant('2026-06-01 00:00:00 +0000 UTC'),
      by_selector_match: fc.uniqueArray(values, { minLength: 1 }).map((named) => ({
        selectors: named.map((value) => ({ type: 'n', value })),
        match: 'MATCH_SUPERSET' as const,
      })),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(filters, some, (filter, one) => {
      const has = ({ value = '' }) => one.selectors.some((selector) => selector.value === value);
      const naive = [
        filter.by_attestation_type === undefined || filter.by_attestation_type === one.attestationType,
        !filter.by_banned || filter.by_banned.value === one.banned,
        !filter.by_can_reattest || filter.by_can_reattest.value === one.canReattest,
        !filter.by_expires_before || one.expiresAt < Date.UTC(2026, 5),
        (filter.by_selector_match?.selectors ?? []).every(has),
      ];
      assert.equal(agentFilter(filter)(one), !naive.includes(false));
    }),
  );
});
