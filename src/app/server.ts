import { join } from 'node:path';
import { type Clock, systemClock } from '../base/clock.js';
import type { SourceFile } from '../base/source.js';
import { authoritiesName } from '../ca/authority-file.js';
import { openIssuingPool } from '../ca/issuing/pool.js';
import type { KeyManager } from '../ca/key-manager.js';
import { folderContents } from '../control/folder-contents.js';
import { policySourceForAgents } from '../control/policy-source.js';
import { createPolicyState, type PolicyState } from '../control/policy-state.js';
import { watchPolicyFolder } from '../control/policy-watcher.js';
import type { PolicyFile } from '../policy/language/policy-file.js';
import { agentIdentities } from '../server/agent-identities.js';
import { type ApiContext, loggedAgent } from '../server/api/context.js';
import { serverApi } from '../server/api/services.js';
import { applyEntriesFile } from '../server/apply-entries.js';
import { attemptLimit } from '../server/attempt-limit.js';
import { createAuthoriser } from '../server/authorise.js';
import { watchAuthorised } from '../server/authorised-watch.js';
import { openAuthorities } from '../server/authorities.js';
import { bundleSource } from '../server/bundle-source.js';
import { createEntriesFolder } from '../server/entries-folder.js';
import { entrySource } from '../server/entry-source.js';
import { everyBundle, openFederatedBundles } from '../server/federated-bundles.js';
import { type Chore, keepUp } from '../server/maintenance.js';
import { type OwnSvid, openOwnSvid } from '../server/own-svid.js';
import { openRegistry } from '../server/registry.js';
import { storeFollower } from '../server/store-follower.js';
import { bundleSha256 } from '../spiffe/bundle-pem.js';
import type { SpiffeId, TrustDomain } from '../spiffe/id.js';
import type { DatabaseSource } from '../store/postgres/target.js';
import { openStore } from '../store/store.js';
import type { Log } from '../telemetry/log.js';
import type { Service } from '../transport/service.js';
import type { StrangerLimits } from '../transport/stranger-limit.js';
import { serveTls } from '../transport/tls-server.js';
import { serveUnix } from '../transport/unix-server.js';
import type { VerifiedPeer } from '../transport/verified-peer.js';
import { xdsServices } from '../xds/engine.js';
import type { XdsEvent } from '../xds/source.js';
import { type AttestorSettings, nodeVerifiers } from './node-attestors.js';

export interface ServerSettings {
  readonly trustDomain: TrustDomain;
  /** Everything that the server keeps: the database, and the authorities with their keys. */
  readonly dataDir: string;
  /** A PostgreSQL database in the place of the one in the data directory. */
  readonly database?: DatabaseSource;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly adminSocket: string;
  /** The folder of the policy files; without one no policy is served. */
  readonly policyDir?: string;
  /** Who may do what operators may do, besides those with an entry that says so; also of other trust domains. */
  readonly adminIds?: readonly SpiffeId[];
  /** Registration entries to create or update at the start. */
  readonly entries?: SourceFile;
  /** Besides join tokens. */
  readonly attestors?: AttestorSettings;
  /** How many attempts to attest one address has in a second; 0 for no limit. Those that succeed do not count. */
  readonly attestationsPerSecond: number;
  /** How many connections there may be without an SVID that counts. */
  readonly strangers?: StrangerLimits;
  /** Seconds, for entries that do not say, and for agents. */
  readonly x509SvidTtl: number;
  /** Seconds, for entries that do not say. */
  readonly jwtSvidTtl: number;
  /** Seconds. */
  readonly caTtl: number;
  readonly keys: KeyManager;
  readonly log: Log;
  readonly clock?: Clock;
}

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the trust bundle in canonical PEM, for agents to pin. */
  bundleSha256(): string;
  /** Lets running calls end, for a moment, and closes everything. */
  close(): Promise<void>;
}

/** Milliseconds that running calls are given to end. */
const grace = 1000;

/** Starts a server. What was started before something fails is closed again. Throws STO0xxx, CAS03xx, TRN01xx, REG0303, ATT0305. */
export async function startServer(settings: ServerSettings): Promise<RunningServer> {
  const { host, port, adminSocket, trustDomain, log } = settings;
  const closers: Closers = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const { context, identity } = await openTrustDomain(settings, closers);
    const services = serverApi(context);
    const pushed = pushServices(settings.policyDir, context, closers);
    const { isKnown } = context.authoriser;
    const strangers = settings.strangers && { strangers: settings.strangers };
    const tls = await serveTls({
      ...{ host, port, identity, isKnown, services: [...services, ...pushed], log, ...strangers },
    });
    closers.push(() => tls.close(grace));
    const admin = await serveUnix({ path: adminSocket, mode: 0o600, services, log });
    closers.push(() => admin.close(grace));
    closers.push(keepUp(choresOf(context, identity), log));
    const sha256 = () => bundleSha256(context.authorities.own());
    const address = `${tls.host}:${tls.port}`;
    log.info({ trustDomain, address, adminSocket, bundleSha256: sha256() }, 'the server is ready');
    return { host: tls.host, port: tls.port, bundleSha256: sha256, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closers = (() => Promise<void> | void)[];

/** What the server is without its sockets: store, authorities, entries and agents, its own SVID. */
async function openTrustDomain(
  settings: ServerSettings,
  closers: Closers,
): Promise<{ context: ApiContext; identity: OwnSvid }> {
  const { trustDomain, dataDir, database, x509SvidTtl, caTtl, keys, log, clock = systemClock } = settings;
  const store = await openStore({ dataDir, ...(database && { database }), trustDomain, clock });
  closers.push(() => store.close());
  const path = join(dataDir, authoritiesName);
  const pool = openIssuingPool({ log });
  closers.push(() => pool.close());
  const basics = { trustDomain, clock };
  const authorities = await openAuthorities({ ...basics, path, keys, ttlSeconds: caTtl, pool, store, log });
  const since = await store.position();
  const registry = await openRegistry(store, trustDomain, clock);
  const federatedBundles = await openFederatedBundles(store, registry);
  closers.push(store.follow(since, storeFollower(registry, federatedBundles)));
  if (settings.entries) {
    await applyEntriesFile(settings.entries, { registry, federatedBundles, trustDomain, log });
  }
  const identity = await openOwnSvid(registry.serverId, x509SvidTtl, authorities, clock);
  const authoriser = createAuthoriser({
    registry,
    bundles: everyBundle(authorities, federatedBundles),
    adminIds: new Set(settings.adminIds),
    clock,
  });
  const verifiers = nodeVerifiers(settings.attestors ?? {}, registry, trustDomain, clock);
  const ttls = { x509SvidTtl, jwtSvidTtl: settings.jwtSvidTtl, agentTtl: x509SvidTtl };
  const context = {
    ...basics,
    ...ttls,
    log,
    registry,
    federatedBundles,
    authorities,
    authoriser,
    verifiers,
    attempts: attemptLimit(settings.attestationsPerSecond),
    identity,
    backup: { ...basics, store, authorities: authorities.pem },
  };
  return { context, identity };
}

/** In this order: a new authority first, then an SVID that it signs. */
function choresOf({ authorities, registry }: ApiContext, identity: OwnSvid): Chore[] {
  return [
    { name: 'expired entries', run: () => registry.expire() },
    { name: 'authorities', run: () => authorities.keepCurrent() },
    { name: 'own SVID', run: () => identity.keepCurrent() },
  ];
}

/** What our own agents are told without asking, by xDS: entries, trust bundles, and the policies of the services of their entries. */
function pushServices(policyDir: string | undefined, context: ApiContext, closers: Closers): Service[] {
  const { authoriser, authorities, federatedBundles, log, registry, trustDomain } = context;
  const watch = watchAuthorised(registry);
  const sources = [
    entrySource(registry, watch),
    bundleSource({ trustDomain, registry, watch, bundles: everyBundle(authorities, federatedBundles) }),
  ];
  if (policyDir !== undefined) {
    const state = followPolicyFolder(policyDir, context, closers);
    sources.push(policySourceForAgents(state, agentIdentities(registry, watch)));
  }
  return xdsServices<VerifiedPeer>({
    sources,
    identify: async (peer) => (await authoriser.activeAgent(peer)).peer,
    isAlive: authoriser.isStillActive,
    whenGone: authoriser.whenInactive,
    onEvent: (event) => logPushEvent(event, log),
    log,
  });
}

/** Policy files go to those who are under them, files of entries into the registry. */
function followPolicyFolder(folder: string, context: ApiContext, closers: Closers): PolicyState {
  const { clock, log } = context;
  const state = createPolicyState({ folder, clock, log });
  const entries = createEntriesFolder(context);
  const onFiles = (files: readonly PolicyFile[]) => {
    const contents = folderContents(files);
    entries.offer(contents.entries);
    state.offer(contents.policy);
  };
  const stopWatching = watchPolicyFolder({ folder, onFiles, onProblem: state.refuse });
  const stopKeepingUp = keepUp([{ name: 'entries of the folder', run: () => entries.keepUp() }], log);
  closers.push(async () => {
    stopWatching();
    state.close();
    await stopKeepingUp();
    await entries.close();
  });
  return state;
}

function logPushEvent(event: XdsEvent<VerifiedPeer>, log: Log): void {
  const { kind, identity, typeUrl, names, version } = event;
  // Of all entries of an agent that is new, the number says enough.
  const fields = {
    agent: loggedAgent(identity.id),
    typeUrl,
    names: names.slice(0, 10),
    count: names.length,
    version,
  };
  if (kind === 'ack') log.debug(fields, 'an agent took what it was sent');
  else log.error({ ...fields, problem: event.message }, 'an agent refused what it was sent');
}
