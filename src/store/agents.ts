import type { Entry } from '../registration/entry.js';
import type { AgentRecord, Attestation, AttestationOutcome } from '../server/ports.js';
import type { SpiffeId } from '../spiffe/id.js';
import { createEntry, deleteEntries, selectorsOf, selectorsText, similarEntry } from './entries.js';
import { redeemJoinToken } from './join-tokens.js';
import { recordEvents } from './positions.js';
import { allRows, rowsInEvents } from './rows.js';
import { integerOf, type Row, type SqlValue, textOf, type Work } from './unit.js';

export function* allAgents(): Work<AgentRecord[]> {
  return (yield* allRows('agents')).map(agentOf);
}

/** Those that events from `first` to `last` name and that are still there. */
export function* agentsInEvents(first: number, last: number): Work<AgentRecord[]> {
  return (yield* rowsInEvents('agent', first, last)).map(agentOf);
}

/**
 * Records an attested node, redeems its join token and makes the alias that the token brings, all or nothing.
 * `now` in milliseconds since the Unix epoch; `aliasEntryId` is the ID that an alias would get.
 */
export function* attest(
  attestation: Attestation,
  aliasEntryId: string,
  now: number,
): Work<AttestationOutcome> {
  const { agent: node, joinToken } = attestation;
  const known = yield* agentWithId(node.id);
  if (known?.banned) return { kind: 'banned' };
  if (joinToken && !(yield* redeemJoinToken(joinToken, node.serial))) return { kind: 'redeemed' };
  const agent: AgentRecord = {
    ...node,
    banned: false,
    nextSerial: '',
    nextExpiresAt: 0,
    version: known?.version ?? '',
  };
  yield ['delete from agents where id = ?', [agent.id]];
  yield [insertAgent, columnsOf(agent)];
  yield* recordEvents('agent', [agent.id]);
  if (!joinToken || joinToken.aliasId === '') return { kind: 'recorded', agent };
  const content = { ...aliasOf(node.id, joinToken.aliasId), id: aliasEntryId };
  const { entry: alias } = yield* createAlias(content, Math.floor(now / 1000));
  return { kind: 'recorded', agent, alias };
}

export function* renewAgent(id: SpiffeId, serial: string, expiresAt: number): Work<AgentRecord | undefined> {
  const rows = yield [
    'update agents set next_serial = ?, next_expires_at = ? where id = ? and banned = 0 returning *',
    [serial, expiresAt, id],
  ];
  return yield* changedAgent(rows);
}

/** The SVID with this serial was shown: it is the agent's only one from now on. */
export function* activateAgent(id: SpiffeId, serial: string): Work<AgentRecord | undefined> {
  const rows = yield [
    `update agents set serial = next_serial, expires_at = next_expires_at, next_serial = '', next_expires_at = 0
       where id = ? and next_serial = ? and banned = 0 returning *`,
    [id, serial],
  ];
  return yield* changedAgent(rows);
}

/** An SVID that is newer than the last one that the store knows of was shown: it is the agent's only one from now on. */
export function* catchUpAgent(
  id: SpiffeId,
  serial: string,
  expiresAt: number,
): Work<AgentRecord | undefined> {
  const rows = yield [
    `update agents set serial = ?, expires_at = ?, next_serial = '', next_expires_at = 0
       where id = ? and banned = 0 and expires_at < ? returning *`,
    [serial, expiresAt, id, expiresAt],
  ];
  return yield* changedAgent(rows);
}

export function* banAgent(id: SpiffeId): Work<AgentRecord | undefined> {
  return yield* changedAgent(yield ['update agents set banned = 1 where id = ? returning *', [id]]);
}

export function* setAgentVersion(id: SpiffeId, version: string): Work<AgentRecord | undefined> {
  return yield* changedAgent(yield ['update agents set version = ? where id = ? returning *', [version, id]]);
}

export function* deleteAgent(id: SpiffeId): Work<{ deleted: boolean; aliasEntryId?: string }> {
  const rows = yield ['delete from agents where id = ? returning id', [id]];
  if (rows.length === 0) return { deleted: false };
  yield* recordEvents('agent', [id]);
  const [alias] = yield [
    'select id from entries where parent_id = ? and selectors = ?',
    [id, selectorsText(aliasSelectors(id))],
  ];
  if (!alias) return { deleted: true };
  const aliasEntryId = textOf(alias, 'id');
  yield* deleteEntries([aliasEntryId]);
  return { deleted: true, aliasEntryId };
}

function* changedAgent([row]: readonly Row[]): Work<AgentRecord | undefined> {
  const agent = row && agentOf(row);
  if (agent) yield* recordEvents('agent', [agent.id]);
  return agent;
}

/** The entry that gives an agent a second name, as SPIRE makes it for a join token with an `agent_id`. */
function aliasOf(agentId: SpiffeId, aliasId: SpiffeId): Omit<Entry, 'id' | 'createdAt' | 'revision'> {
  return {
    spiffeId: aliasId,
    parentId: agentId,
    selectors: aliasSelectors(agentId),
    x509SvidTtl: 0,
    jwtSvidTtl: 0,
    dnsNames: [],
    federatesWith: [],
    admin: false,
    downstream: false,
    hint: '',
    storeSvid: false,
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
    expiresAt: 0,
  };
}

function aliasSelectors(agentId: SpiffeId) {
  return [{ type: 'spiffe_id', value: agentId }];
}

function* createAlias(content: Omit<Entry, 'createdAt' | 'revision'>, now: number): Work<{ entry: Entry }> {
  // There is one already when an attempt is repeated whose SVID did not arrive.
  const present = yield* similarEntry(content);
  if (present) return { entry: present };
  const outcome = yield* createEntry(content, now);
  if (!('entry' in outcome)) throw new Error('an alias can always be created');
  return outcome;
}

function* agentWithId(id: SpiffeId): Work<AgentRecord | undefined> {
  const [row] = yield ['select * from agents where id = ?', [id]];
  return row && agentOf(row);
}

const insertAgent = `insert into agents
  (id, attestation_type, selectors, can_reattest, banned, serial, expires_at, next_serial, next_expires_at, version)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

function columnsOf(agent: AgentRecord): SqlValue[] {
  return [
    agent.id,
    agent.attestationType,
    selectorsText(agent.selectors),
    Number(agent.canReattest),
    Number(agent.banned),
    agent.serial,
    agent.expiresAt,
    agent.nextSerial,
    agent.nextExpiresAt,
    agent.version,
  ];
}

function agentOf(row: Row): AgentRecord {
  return {
    id: textOf(row, 'id') as SpiffeId,
    attestationType: textOf(row, 'attestation_type'),
    selectors: selectorsOf(textOf(row, 'selectors')),
    canReattest: integerOf(row, 'can_reattest') === 1,
    banned: integerOf(row, 'banned') === 1,
    serial: textOf(row, 'serial'),
    expiresAt: integerOf(row, 'expires_at'),
    nextSerial: textOf(row, 'next_serial'),
    nextExpiresAt: integerOf(row, 'next_expires_at'),
    version: textOf(row, 'version'),
  };
}
