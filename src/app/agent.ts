import { adminApi } from '../agent/admin-api.js';
import { type Agent, startAgent } from '../agent/agent.js';
import type { BootstrapTrust } from '../agent/bootstrap-trust.js';
import { identityWatcher } from '../agent/identity-watcher.js';
import { createJwtSvids } from '../agent/jwt-svids.js';
import { openKeptSnapshots } from '../agent/kept-snapshot.js';
import type { ConnectToServer } from '../agent/membership.js';
import { type PolicyFeed, policyRelay } from '../agent/policy-relay.js';
import { readPolicy } from '../agent/read-policy.js';
import { serverCalls } from '../agent/server-calls.js';
import { openStateStore } from '../agent/state.js';
import { workloadViews } from '../agent/workload-views.js';
import { workloadAttestation } from '../attestation/workload/attest.js';
import { type Clock, systemClock } from '../base/clock.js';
import { extensionConfigTypeUrl } from '../envoy/rbac/http-filter.js';
import type { AttestedWorkload } from '../registration/attested-workload.js';
import { type SecretSourceOptions, secretSource } from '../sds/secret-source.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { Log } from '../telemetry/log.js';
import { dialTls } from '../transport/dial-tls.js';
import { type Addresses, createAddresses, failoverConnection } from '../transport/failover.js';
import { healthHandlers } from '../transport/health.js';
import { reflectionServices } from '../transport/reflection.js';
import { namesOf, type Service, service } from '../transport/service.js';
import { serveUnix } from '../transport/unix-server.js';
import { workloadApi } from '../workload-api/workload-api.js';
import { xdsServices } from '../xds/engine.js';
import type { XdsEvent } from '../xds/source.js';
import { type EvidenceSettings, nodeEvidence } from './node-attestors.js';
import { type WorkloadAttestorSettings, workloadAttestors } from './workload-attestors.js';

export interface AgentSettings extends EvidenceSettings {
  readonly trustDomain: TrustDomain;
  /** Of servers of the trust domain, `host:port`: one at least. */
  readonly servers: readonly string[];
  /** The agent's own identity and trust bundle; no key of a workload. */
  readonly dataDir: string;
  /** For workloads and their Envoys: open to every local process. */
  readonly socket: string;
  /** For the agent's own user. */
  readonly adminSocket: string;
  /** How the server is trusted while the data directory is empty. */
  readonly bootstrap: BootstrapTrust;
  readonly syncIntervalMs: number;
  /** What SDS names and contexts are like: as from SPIRE's agent. */
  readonly secrets?: Pick<SecretSourceOptions, 'names' | 'plainContexts'>;
  /** By default `unix`. */
  readonly workloads?: WorkloadAttestorSettings;
  /** To the workloads' socket: 2000. */
  readonly maxConnectionsPerUser?: number;
  readonly log: Log;
  readonly clock?: Clock;
  /** Whether workloads' SVIDs, keys included, are kept in `dataDir`, encrypted, so that a restart needs no server. */
  readonly svidCache?: boolean;
  /** Milliseconds until a server that does not answer is taken for one that is not there. */
  readonly connectTimeoutMs?: number;
  /** In [0, 1): which server is asked first, and all jitter. */
  readonly random?: () => number;
  /** Gives the start up while the node is not attested yet. */
  readonly signal?: AbortSignal;
}

export interface RunningAgent {
  readonly agent: Agent;
  /** Ends the streams of the workloads, which keep what they have, and what the agent runs. */
  close(): Promise<void>;
}

/**
 * Starts an agent and resolves when workloads can connect, which is when the node is attested; `undefined` when it was given
 * up before. What was started before something fails is closed again. Throws AGT01xx, AGT02xx, AGT04xx, ATT03xx, TRN01xx.
 */
export async function runAgent(settings: AgentSettings): Promise<RunningAgent | undefined> {
  const { trustDomain, servers, dataDir, socket, adminSocket, bootstrap, syncIntervalMs } = settings;
  const { log, clock = systemClock, signal, maxConnectionsPerUser, random = Math.random } = settings;
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const addresses = createAddresses(
      servers,
      (failure) => log.warn(failure, 'a server does not answer, the next one is asked'),
      random,
    );
    const connect = connector(addresses, settings);
    const state = openStateStore(dataDir, trustDomain);
    const kept = openKeptSnapshots(dataDir, trustDomain, { clock, log });
    // Whoever does not want it any more wants it gone.
    if (!settings.svidCache) kept.wipe();
    const evidence = nodeEvidence(settings);
    const agent = startAgent({
      ...{ trustDomain, addresses, bootstrap, connect, evidence, state, clock, log, random },
      syncIntervalMs,
      ...(settings.svidCache && { kept }),
    });
    closers.push(() => agent.stop());
    const admin = await serveUnix({ path: adminSocket, mode: 0o600, services: adminApi(agent, clock), log });
    closers.push(() => admin.close());
    await Promise.race([agent.attested, abortOf(signal)]);
    if (signal?.aborted) {
      await close();
      return undefined;
    }
    const policies = agent.follow(extensionConfigTypeUrl, readPolicy);
    const services = workloadServices(agent, policies, settings, clock);
    const workloads = await serveUnix({
      ...{ path: socket, mode: 0o777, services, log },
      ...(maxConnectionsPerUser === undefined ? {} : { maxConnectionsPerUser }),
    });
    closers.push(() => workloads.close());
    log.info({ trustDomain, id: agent.status().id, socket, adminSocket }, 'the agent is ready');
    return { agent, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function connector(addresses: Addresses, { connectTimeoutMs, log }: AgentSettings): ConnectToServer {
  const timeout = connectTimeoutMs === undefined ? {} : { connectTimeoutMs };
  return (options) => {
    const connection = failoverConnection(addresses, (address) =>
      dialTls({ address, ...timeout, ...options }),
    );
    return serverCalls(connection, log);
  };
}

/** What the workloads' socket serves: the Workload API, secrets and policies, each caller its own; and word of what it is. */
function workloadServices(
  { identities, newJwtSvid, status }: Agent,
  feed: PolicyFeed,
  { log, secrets, workloads = { unix: {} } }: AgentSettings,
  clock: Clock,
): Service[] {
  const attest = workloadAttestation(workloadAttestors(workloads), log);
  const xds = xdsServices({
    sources: [
      secretSource({ watcher: identityWatcher(identities), clock, log, ...secrets }),
      policyRelay({ feed, identities, log }),
    ],
    identify: attest,
    isAlive: (workload) => workload.isAlive(),
    onEvent: (event) => logRefusal(event, log),
    log,
  });
  const views = workloadViews(identities, clock);
  const jwtSvids = createJwtSvids({ identities, newJwtSvid, clock, log });
  const api = [workloadApi({ attest, views, jwtSvids, clock }), ...xds];
  const health = service(
    'grpc.health.v1.Health',
    healthHandlers(namesOf(api), async () => status().serving),
  );
  return [...api, health, ...reflectionServices([...api, health])];
}

/** An Envoy that refuses a secret or a policy keeps the last good one; somebody should look at it. */
function logRefusal(event: XdsEvent<AttestedWorkload>, log: Log): void {
  if (event.kind !== 'nack') return;
  const { identity, node, typeUrl, names, version, message } = event;
  log.warn({ pid: identity.pid, node, typeUrl, names, version, message }, 'a proxy refused a resource');
}

function abortOf(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
}
