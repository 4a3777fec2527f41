import { status as grpcStatus } from '@grpc/grpc-js';
import type { X509Svid } from '../../src/spiffe/x509-svid.js';
import { type GrpcConnection, remoteStatus } from '../../src/transport/grpc-client.js';
import type { MessageOut } from '../../src/wire/names.js';
import { createLedger, type Ledger } from './ledger.js';
import { agentApi, attest, entryApi, entryMessage } from './running-server.js';
import type { ServerLife } from './server-life.js';

type Reach = Pick<ServerLife, 'admin' | 'anonymous'>;

/** Writers of everything that a server keeps, and what they know of it. */
export interface ServerWriters {
  readonly ledger: Ledger;
  /** SVIDs of agents, as they were issued. */
  readonly svids: readonly X509Svid[];
  /**
   * Writes as fast as the server answers, six at a time, until it is gone or its store does not work. Gives what ended each;
   * rejects when the server refuses something for any other reason.
   */
  writeUntilDeath(life: Reach): Promise<Error[]>;
  /** Holds what the server has now against what it acknowledged. */
  check(life: Reach): Promise<void>;
  /** A join token from an earlier life is good for one attestation, and for no second one (S10). */
  spendToken(life: Reach): Promise<void>;
}

export function createServerWriters(random: () => number): ServerWriters {
  const ledger = createLedger();
  const ids = new Map<string, string>();
  const tokens = new Set<string>();
  let last = 0;
  const svids: X509Svid[] = [];
  const kit: Kit = { ledger, ids, tokens, svids, random, next: () => ++last };
  return {
    ledger,
    svids,
    async writeUntilDeath(life) {
      const writers = Array.from({ length: 6 }, (_, lane) =>
        untilDeath(() => (lane < 4 ? writeEntries(kit, life, lane) : writeAgents(kit, life, lane))),
      );
      return await Promise.all(writers);
    },
    async check(life) {
      const { found, ids: foundIds } = await everything(life.admin);
      ledger.check(found);
      for (const [key, id] of foundIds) ids.set(key, id);
    },
    spendToken: (life) => spendToken(kit, life),
  };
}

interface Kit {
  readonly ledger: Ledger;
  /** Entry IDs by key. */
  readonly ids: Map<string, string>;
  /** Join tokens that the server acknowledged and nobody used. */
  readonly tokens: Set<string>;
  readonly svids: X509Svid[];
  random(): number;
  next(): number;
}

/** A server that is gone, or that says that its store does not work, leaves the last write in doubt. */
async function untilDeath(write: () => Promise<void>): Promise<Error> {
  try {
    for (;;) await write();
  } catch (error) {
    const status = remoteStatus(error) ?? (error as { status?: string }).status ?? '';
    if (!['UNAVAILABLE', 'CANCELLED', 'UNKNOWN'].includes(status)) throw error;
    return error as Error;
  }
}

async function writeEntries(kit: Kit, { admin }: Reach, lane: number): Promise<void> {
  const { ledger, ids, random } = kit;
  const mine = [...ledger.known.keys()].filter((key) => key.startsWith(`entry/${lane}-`));
  const [first, ...rest] = mine.sort(() => random() - 0.5).slice(0, 1 + Math.floor(random() * 3));
  const dice = random();
  if (first === undefined || (dice < 0.5 && mine.length < 40)) return createSome(kit, admin, lane);
  const keys = [first, ...rest];
  const idsOf = keys.map((key) => ids.get(key) ?? '');
  if (dice < 0.75) {
    const version = kit.next();
    const entries = idsOf.map((id) => ({ id, hint: `v${version}`, x509_svid_ttl: version }));
    const changes = new Map(keys.map((key) => [key, `v${version}|${version}`]));
    const input_mask = { hint: true, x509_svid_ttl: true };
    return ledger.write(changes, () =>
      accepted(admin.unary(entryApi.BatchUpdateEntry, { entries, input_mask })),
    );
  }
  const gone = new Map(keys.map((key) => [key, undefined]));
  await ledger.write(gone, () => accepted(admin.unary(entryApi.BatchDeleteEntry, { ids: idsOf })));
}

async function createSome({ ledger, ids, random, next }: Kit, admin: GrpcConnection, lane: number) {
  const names = Array.from({ length: 1 + Math.floor(random() * 5) }, () => `${lane}-${next()}`);
  const entries = names.map((name) =>
    entryMessage(`/${name}`, '/node', ['unix:uid:1'], { hint: 'v0', x509_svid_ttl: 1 }),
  );
  const changes = new Map(names.map((name) => [`entry/${name}`, 'v0|1']));
  await ledger.write(changes, async () => {
    const { results } = await accepted(admin.unary(entryApi.BatchCreateEntry, { entries }));
    for (const [index, { entry }] of (results ?? []).entries())
      ids.set(`entry/${names[index]}`, entry?.id ?? '');
  });
}

async function writeAgents(kit: Kit, life: Reach, lane: number): Promise<void> {
  const { ledger, random, tokens } = kit;
  const token = `token-of-lane-${lane}-number-${kit.next()}`;
  await ledger.write(new Map(), () =>
    life.admin.unary(agentApi.CreateJoinToken, { ttl: 3600, token, agent_id: pathId(`/${nodeOf(token)}`) }),
  );
  if (random() < 0.3) return void tokens.add(token);
  await redeem(kit, life, token);
  const id = pathId(`/spire/agent/join_token/${token}`);
  if (random() < 0.5) {
    const banned = new Map([[`agent/${token}`, 'banned']]);
    await ledger.write(banned, () => life.admin.unary(agentApi.BanAgent, { id }));
  }
  if (random() < 0.5) {
    const gone = new Map([
      [`agent/${token}`, undefined],
      [`entry/${nodeOf(token)}`, undefined],
    ]);
    await ledger.write(gone, () => life.admin.unary(agentApi.DeleteAgent, { id }));
  }
}

const nodeOf = (token: string) => `node-${token}`;
const pathId = (path: string) => ({ trust_domain: 'shop.example', path });

function redeem({ ledger, svids }: Kit, life: Reach, token: string): Promise<void> {
  const changes = new Map([
    [`agent/${token}`, 'active'],
    [`entry/${nodeOf(token)}`, '|0'],
  ]);
  return ledger.write(changes, async () => svids.push(await attest(life.anonymous, token)));
}

async function spendToken(kit: Kit, life: Reach): Promise<void> {
  const [token] = kit.tokens;
  if (token === undefined) return;
  kit.tokens.delete(token);
  await redeem(kit, life, token);
  const again = await attest(life.anonymous, token).then(() => 'OK', remoteStatus);
  if (again === 'OK') throw new Error(`the join token ${token} was good for two attestations`);
}

/** A batch answers OK even when it did nothing. */
async function accepted<T extends { results?: readonly Result[] }>(call: Promise<T>): Promise<T> {
  const answer = await call;
  for (const { status } of answer.results ?? []) {
    if (!status?.code) continue;
    throw Object.assign(new Error(status.message), { status: grpcStatus[status.code] });
  }
  return answer;
}
type Result = { readonly status?: MessageOut<'spire.api.types.Status'> | null };

/** Others may have things of their own. */
const ours = /^(?:entry\/\d-|(?:entry\/node-|agent\/)token-of-lane)/;

/** What the server has of ours, as the ledger writes it down, and the IDs of the entries. */
async function everything(admin: GrpcConnection) {
  const found = new Map<string, string>();
  const ids = new Map<string, string>();
  const note = (key: string, value: string, id = '') => {
    if (!ours.test(key)) return;
    found.set(key, value);
    ids.set(key, id);
  };
  await eachPage(async (page_token) => {
    const { entries = [], next_page_token } = await admin.unary(entryApi.ListEntries, { page_token });
    for (const { id, spiffe_id, hint, x509_svid_ttl } of entries) {
      note(`entry${spiffe_id?.path}`, `${hint ?? ''}|${x509_svid_ttl ?? 0}`, id);
    }
    return next_page_token;
  });
  await eachPage(async (page_token) => {
    const { agents = [], next_page_token } = await admin.unary(agentApi.ListAgents, { page_token });
    for (const { id, banned } of agents) {
      note(`agent/${id?.path?.split('/').at(-1)}`, banned ? 'banned' : 'active');
    }
    return next_page_token;
  });
  return { found, ids };
}

async function eachPage(page: (token: string) => Promise<string | undefined>): Promise<void> {
  let token: string | undefined = '';
  do token = await page(token);
  while (token);
}
