import { Fault, isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { SpiffeId, TrustDomain } from '../spiffe/id.js';
import type { SvidSource } from '../spiffe/source.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { Addresses, AddressState } from '../transport/failover.js';
import type { ResourceFeed } from '../xds/client.js';
import { createIdentities, type Identities } from './identities.js';
import type { KeptSnapshots } from './kept-snapshot.js';
import { createMembership, type MembershipOptions } from './membership.js';
import { createPacemaker } from './pacemaker.js';
import type { ServerCalls } from './server-calls.js';
import { type Follow, type ServerFeed, serverFeed } from './server-feed.js';
import { type AgentRefusal, agentRefusalOf } from './server-refusal.js';
import { sameBundle } from './server-trust.js';
import { type AgentEntry, federatedDomains, type Snapshot } from './snapshot.js';
import { keepSnapshots } from './snapshot-keeper.js';
import { createSvidCache } from './svid-cache.js';

export interface AgentOptions extends MembershipOptions {
  /** Milliseconds between two syncs with a server that does not push, give or take a tenth. SPIRE: `sync_interval`. */
  syncIntervalMs: number;
  /** Where what can be handed out is kept over a restart; nowhere unless it is given. */
  kept?: KeptSnapshots;
}

export interface AgentStatus {
  readonly id: SpiffeId | undefined;
  /** Of the agent's own SVID; milliseconds since the Unix epoch. */
  readonly svidNotAfter: number | undefined;
  /** When what is known was last what the server has; milliseconds since the Unix epoch. */
  readonly lastSync: number | undefined;
  readonly entries: number;
  readonly svids: number;
  /** When the first SVID in use expires, the agent's own included; milliseconds since the Unix epoch. */
  readonly autonomousUntil: number | undefined;
  /** SVIDs that should have been replaced a twentieth of their life ago or more. */
  readonly svidsPastRotation: number;
  /** Whether the server pushes, and what is known came so. */
  readonly pushed: boolean;
  /** Why the last try failed; `undefined` when it succeeded. */
  readonly trouble: string | undefined;
  /** The servers in the order in which they were given, and what was wrong when each was last tried. */
  readonly servers: readonly AddressState[];
  /** Whether it can hand out identities: its own SVID lives, and what a sync of this life brought is still in force. */
  readonly serving: boolean;
}

/** An agent at work. */
export interface Agent {
  /** What the workloads of this node may have. */
  readonly identities: Identities;
  /** The agent's own SVID. */
  readonly svid: SvidSource;
  /** Follows something else that the server pushes, over the same connection, as soon as the agent is attested. */
  readonly follow: Follow;
  /** Asks the server for a JWT-SVID of an entry. */
  readonly newJwtSvid: ServerCalls['newJwtSvid'];
  /**
   * Resolves when the agent has an SVID of its own, be it one of an earlier life that has expired meanwhile; rejects with a
   * Fault when only an operator can help.
   */
  readonly attested: Promise<void>;
  /** Syncs now, or right after the sync that is running. */
  syncSoon(): void;
  status(): AgentStatus;
  /** Ends after what is running; hands out nothing new from then on. */
  stop(): Promise<void>;
}

/** Milliseconds between two rounds while the server pushes: nothing is asked in them. */
const quietIntervalMs = 5 * 60_000;

/**
 * Runs an agent: attests the node once, then in every round takes the trust bundle, renews its own SVID at half life, takes the
 * entries and keeps an SVID for each. A server of ours pushes bundles and entries, and a round follows every change at once;
 * another one is asked for them in every round. A round that fails changes nothing but what it had learned, and is tried
 * again with backoff; what was handed out before stays in force until it expires. Only when the server says that this agent is
 * banned or not attested any more is everything withdrawn.
 */
export function startAgent(options: AgentOptions): Agent {
  const { addresses, connect, clock, log, trustDomain, random = Math.random } = options;
  const membership = createMembership(options);
  const { svid, verifyServer } = membership;
  const identities = createIdentities(clock);
  const cache = createSvidCache({ clock, log, random });
  const server = connect({ svid, verifyServer });
  const feeds = createFeeds(server, svid, (error) => {
    if (agentRefusalOf(error)) pacemaker.soon();
  });
  const learned: Learned = { entries: [], federated: new Map() };
  const attested = promiseWithResolvers();
  let pushed: ServerFeed | undefined;
  let lastSync: number | undefined;
  let trouble: unknown;
  takeUp(options.kept, svid.current(), (kept) => {
    Object.assign(learned, { entries: kept.entries, federated: kept.federated });
    cache.restore(kept.entries, kept.svids, kept.bundle);
    identities.publish(kept);
    log.info(
      { entries: kept.entries.length, svids: kept.svids.size },
      'serving what was kept until the first sync',
    );
  });
  const keeper = options.kept && keepSnapshots(identities, options.kept, svid, log);
  // Workloads can connect and wait: without a socket they would fail.
  if (svid.current()) attested.resolve();

  const round = async () => {
    await membership.ensureAttested();
    attested.resolve();
    pushed ??= followServer();
    const own = await membership.takeBundle(pushed.current()?.bundle ?? (await server.getBundle()));
    // What keeps the agent from a new SVID need not keep it from working with the one that it still has.
    const renewal = await membership.renewIfDue(server).catch((error: unknown) => ({ error }));
    await learn(server, learned, pushed);
    membership.accepted();
    try {
      await cache.refresh(learned.entries, own, (requests) => server.signSvids(requests));
    } finally {
      // Removed entries count even while nothing can be signed.
      identities.publish({ ...learned, svids: cache.svids(), bundle: own });
    }
    lastSync = clock.now();
    if (renewal) throw renewal.error;
    if (trouble !== undefined) log.info({ entries: learned.entries.length }, 'in sync with the server again');
    trouble = undefined;
  };

  const followServer = (): ServerFeed => {
    const feed = serverFeed(feeds.follow, trustDomain, log);
    feed.onChange(() => {
      const news = feed.current();
      if (!news) return pacemaker.replan();
      // What was taken away goes at once, also while a round waits for something else.
      Object.assign(learned, { entries: news.entries, federated: news.federated });
      cache.entitle(news.entries);
      const known = identities.current();
      if (known) identities.publish({ ...known, ...learned, svids: cache.svids() });
      pacemaker.soon();
    });
    return feed;
  };

  const failed = (thrown: unknown) => {
    const error = whyRefused(thrown);
    const refusal = agentRefusalOf(error);
    if (refusal && withdrawing.includes(refusal)) {
      identities.withdraw();
      keeper?.wipe();
    }
    trouble = refusal ? membership.refused(refusal) : error;
    log.warn({ error: trouble }, 'no sync with the server; what was handed out before stays in force');
    if (svid.current() || !needsAnOperator(trouble, addresses)) return;
    attested.reject(trouble);
    pacemaker.stop();
  };

  const pacemaker = createPacemaker({
    beat: round,
    failed,
    intervalMs: () => (pushed?.current() ? quietIntervalMs : options.syncIntervalMs),
    nextDue: () => Math.min(svid.nextRotation(), cache.nextRotation()),
    clock,
    random,
  });

  return {
    identities,
    svid,
    follow: feeds.follow,
    newJwtSvid: server.newJwtSvid,
    attested: attested.promise,
    syncSoon: pacemaker.soon,
    status() {
      const own = svid.current();
      return {
        id: own?.id,
        svidNotAfter: own?.notAfter,
        lastSync: pushed?.current() ? clock.now() : lastSync,
        entries: identities.current()?.entries.length ?? 0,
        svids: identities.current()?.svids.size ?? 0,
        autonomousUntil: own && Math.min(own.notAfter, cache.firstExpiry()),
        svidsPastRotation: Number(svid.isLate()) + cache.late(),
        pushed: pushed?.current() !== undefined,
        trouble: trouble === undefined ? undefined : sentenceOf(trouble),
        servers: addresses.states(),
        serving: own !== undefined && own.notAfter > clock.now() && identities.current() !== undefined,
      };
    },
    async stop() {
      feeds.close();
      await pacemaker.stop();
      await keeper?.stop();
      server.close();
    },
  };
}

function takeUp(
  kept: KeptSnapshots | undefined,
  own: X509Svid | undefined,
  use: (snapshot: Snapshot) => void,
): void {
  const snapshot = own && kept?.load(own.id);
  if (snapshot) use(snapshot);
}

/** Feeds over the agent's connection to its server; they go on with its next SVID as soon as it has one. */
function createFeeds(
  server: ServerCalls,
  svid: SvidSource,
  onEnd: (error: unknown) => void,
): { follow: Follow; close(): void } {
  const feeds = new Set<ResourceFeed<unknown>>();
  const stop = svid.onChange(() => {
    for (const feed of feeds) feed.reopen();
  });
  return {
    follow(typeUrl, read) {
      const feed = server.follow(typeUrl, read, onEnd);
      feeds.add(feed);
      return feed;
    },
    close() {
      stop();
      for (const feed of feeds) feed.close();
    },
  };
}

/** What is known of the server; kept while a round fails half way. */
interface Learned {
  entries: readonly AgentEntry[];
  federated: ReadonlyMap<TrustDomain, Bundle>;
}

/** Asks the server only while it does not push; what it pushes meanwhile is newer than its answers. */
async function learn(server: ServerCalls, learned: Learned, pushed: ServerFeed): Promise<void> {
  const answered = pushed.current() ? undefined : await ask(server, learned);
  const { entries, federated } = pushed.current() ?? answered ?? learned;
  Object.assign(learned, { entries, federated });
}

async function ask(server: ServerCalls, { entries: before, federated }: Learned): Promise<Learned> {
  const entries = await server.syncEntries(before);
  return { entries, federated: await fetchFederated(server, { entries, federated }) };
}

/** Of every trust domain that an entry federates with, as far as the server has them; unchanged ones stay the same object. */
async function fetchFederated(
  server: ServerCalls,
  { entries, federated: before }: Learned,
): Promise<ReadonlyMap<TrustDomain, Bundle>> {
  const found = new Map<TrustDomain, Bundle>();
  for (const trustDomain of federatedDomains(entries)) {
    const bundle = await server.getFederatedBundle(trustDomain);
    if (bundle?.trustDomain !== trustDomain) continue;
    const known = before.get(trustDomain);
    found.set(trustDomain, known && sameBundle(known, bundle) ? known : bundle);
  }
  return found;
}

/** The server's word that this agent must no longer hand anything out. An expired SVID alone is not that. */
const withdrawing: readonly AgentRefusal[] = ['AGENT_BANNED', 'AGENT_NOT_ATTESTED', 'AGENT_NOT_ACTIVE'];

/** What trying again cannot mend while the agent has no identity yet. */
const hopeless: readonly FaultCode[] = [
  'AGT0201',
  'AGT0202',
  'AGT0401',
  'AGT0402',
  'AGT0404',
  'AGT0406',
  'ATT0304',
  'ATT0406',
  'TRN0302',
];

/** What is wrong with one server only. */
const ofOneServer: readonly FaultCode[] = ['AGT0201', 'AGT0202', 'TRN0302'];

const severalLeft = (servers: readonly AddressState[]): boolean =>
  servers.length > 1 && servers.some(({ trouble }) => trouble === undefined);

function needsAnOperator(error: unknown, addresses: Addresses): boolean {
  const isOneOf = (codes: readonly FaultCode[]) => codes.some((code) => isFault(error, code));
  const anotherMayDo = isOneOf(ofOneServer) && severalLeft(addresses.states());
  return isOneOf(hopeless) && !anotherMayDo;
}

/** A server that we refused: our own reason says more than that the connection failed. */
function whyRefused(error: unknown): unknown {
  return error instanceof Fault && error.code === 'TRN0302' && error.cause instanceof Fault
    ? error.cause
    : error;
}

function sentenceOf(error: unknown): string {
  return error instanceof Fault ? `${error.code}: ${error.message} (${error.hint})` : String(error);
}

function promiseWithResolvers() {
  let resolve: () => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<void>((whenKept, whenBroken) => {
    resolve = whenKept;
    reject = whenBroken;
  });
  // Who does not wait for it must not die of it.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
