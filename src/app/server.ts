import { join } from 'node:path';
import { joinTokenVerifier } from '../attestation/node/join-token/verify.js';
import { type Clock, systemClock } from '../base/clock.js';
import type { SourceFile } from '../base/source.js';
import type { ApiContext } from '../server/api/context.js';
import { serverApi } from '../server/api/services.js';
import { applyEntries } from '../server/apply-entries.js';
import { createAuthoriser } from '../server/authorise.js';
import { openAuthorities } from '../server/authorities.js';
import { keepUp } from '../server/maintenance.js';
import { openOwnSvid } from '../server/own-svid.js';
import { openRegistry } from '../server/registry.js';
import { bundleSha256 } from '../spiffe/bundle-pem.js';
import type { TrustDomain } from '../spiffe/id.js';
import { openStore } from '../store/store.js';
import type { Log } from '../telemetry/log.js';
import { serveTls } from '../transport/tls-server.js';
import { serveUnix } from '../transport/unix-server.js';

export interface ServerSettings {
  readonly trustDomain: TrustDomain;
  /** Everything that the server keeps: the database, and the authorities with their keys. */
  readonly dataDir: string;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly adminSocket: string;
  /** Registration entries to create or update at the start. */
  readonly entries?: SourceFile;
  /** Seconds, for entries that do not say, and for agents. */
  readonly x509SvidTtl: number;
  /** Seconds. */
  readonly caTtl: number;
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

/** Starts a server. What was started before something fails is closed again. Throws STO0xxx, CAS03xx, TRN01xx. */
export async function startServer(settings: ServerSettings): Promise<RunningServer> {
  const {
    trustDomain,
    dataDir,
    host,
    port,
    adminSocket,
    x509SvidTtl,
    caTtl,
    log,
    clock = systemClock,
  } = settings;
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const store = await openStore({ dataDir, trustDomain, clock });
    closers.push(() => store.close());
    const path = join(dataDir, 'authorities.pem');
    const authorities = await openAuthorities({ path, trustDomain, ttlSeconds: caTtl, clock, store });
    const registry = await openRegistry(store, trustDomain, clock);
    if (settings.entries) await applyEntries(settings.entries, registry, trustDomain, log);
    const identity = openOwnSvid(registry.serverId, x509SvidTtl, authorities, clock);
    const context: ApiContext = {
      trustDomain,
      registry,
      authorities,
      authoriser: createAuthoriser(registry, authorities, clock),
      verifiers: [joinTokenVerifier(registry, trustDomain, clock)],
      clock,
      log,
      x509SvidTtl,
      agentTtl: x509SvidTtl,
    };
    const services = serverApi(context);
    const tls = await serveTls({ host, port, identity, services, log });
    closers.push(() => tls.close(grace));
    const admin = await serveUnix({ path: adminSocket, mode: 0o600, services, log });
    closers.push(() => admin.close(grace));
    const chores = [
      { name: 'authorities', run: () => authorities.keepCurrent() },
      { name: 'own SVID', run: () => identity.keepCurrent() },
    ];
    closers.push(keepUp(chores, log));
    const sha256 = () => bundleSha256(authorities.own());
    log.info(
      { trustDomain, address: `${tls.host}:${tls.port}`, adminSocket, bundleSha256: sha256() },
      'the server is ready',
    );
    return { host: tls.host, port: tls.port, bundleSha256: sha256, close };
  } catch (error) {
    await close();
    throw error;
  }
}
