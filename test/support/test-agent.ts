import { createIdentities } from '../../src/agent/identities.js';
import { policyRelay } from '../../src/agent/policy-relay.js';
import { systemClock } from '../../src/base/clock.js';
import { createListeners } from '../../src/base/listeners.js';
import { type AttestedWorkload, vouchFor } from '../../src/registration/attested-workload.js';
import { parseSelector } from '../../src/registration/selector.js';
import { type SecretSourceOptions, secretSource } from '../../src/sds/secret-source.js';
import type { Bundle } from '../../src/spiffe/bundle.js';
import type { X509Svid } from '../../src/spiffe/x509-svid.js';
import { silentLog } from '../../src/telemetry/log.js';
import type { Peer } from '../../src/transport/peer.js';
import { serveUnix } from '../../src/transport/unix-server.js';
import type { EncodedResource } from '../../src/wire/resource.js';
import { xdsServices } from '../../src/xds/engine.js';
import type { ResourceSource } from '../../src/xds/source.js';
import { agentEntry } from './agent.js';
import type { Ending } from './children.js';

/** What the agent of a test has for whoever calls. */
export interface Given {
  /** The default one first. */
  svids: readonly X509Svid[];
  /** The own trust domain's first, then federated ones. */
  bundles: readonly [Bundle, ...Bundle[]];
  /** Left out: none has come from the server yet, so nothing is said about any. */
  policies?: readonly EncodedResource[];
  /** SPIFFE IDs whose entries are there and whose SVIDs are still on the way. */
  withheld?: readonly string[];
  /** Sent in place of the checked secret of that name, whatever it is. */
  forced?: ReadonlyMap<string, EncodedResource>;
}

export interface TestAgent {
  readonly socket: string;
  /** What Envoys said when they refused something, oldest first. */
  readonly nacks: readonly string[];
  /** How often a caller was attested. */
  readonly attestations: number;
  give(change: Partial<Given>): void;
  /** As if it had been killed: the socket is gone and every stream is cut. */
  stop(): Promise<void>;
}

/**
 * The side of an agent that Envoys see (transport, stream engine, secrets, policies) without the side that has a server: what it
 * knows is given by the test, and whoever opens its socket is its one workload. Tests that need several start several.
 */
export async function startTestAgent(
  ending: Ending,
  socket: string,
  first: Given,
  secretOptions: Pick<SecretSourceOptions, 'names' | 'plainContexts' | 'log'> = { log: silentLog },
): Promise<TestAgent> {
  const given: Given = { ...first };
  const identities = createIdentities(systemClock);
  const feed = policyFeed();
  const publish = () => {
    identities.publish(snapshotOf(given));
    feed.publish(given.policies);
  };
  publish();
  const secrets = secretSource({
    clock: systemClock,
    ...secretOptions,
    watcher: {
      watch: (workload, changed) => ({
        current: () => identities.identitiesOf(workload),
        close: identities.onChange(changed),
      }),
    },
  });
  const policies = policyRelay({ feed, identities, log: silentLog });
  const forced = forcible(secrets, given);
  const nacks: string[] = [];
  let attestations = 0;
  const server = await serveUnix({
    path: socket,
    mode: 0o600,
    services: xdsServices<AttestedWorkload>({
      sources: [forced.source, policies],
      identify: async (peer) => {
        attestations++;
        return workloadOf(peer);
      },
      isAlive: (workload) => workload.isAlive(),
      onEvent: (event) => event.kind === 'nack' && nacks.push(event.message),
    }),
  });
  ending.after(() => server.close());
  return {
    socket,
    nacks,
    get attestations() {
      return attestations;
    },
    give: (change) => {
      Object.assign(given, change);
      publish();
      forced.changed();
    },
    stop: () => server.close(),
  };
}

function policyFeed() {
  let policies: ReadonlyMap<string, EncodedResource> | 'unknown' = 'unknown';
  const { onChange, tell } = createListeners();
  return {
    current: () => policies,
    onChange,
    publish: (next: readonly EncodedResource[] | undefined) => {
      policies = next ? new Map(next.map((policy) => [policy.name, policy])) : 'unknown';
      tell();
    },
  };
}

const selector = 'unix:user:whoever-calls';

function snapshotOf({ svids, withheld = [], bundles: [bundle, ...federated] }: Given) {
  const entries = svids.map(({ id }, index) =>
    agentEntry(String(index), {
      spiffeId: id,
      selectors: [parseSelector(selector)],
      federatesWith: federated.map(({ trustDomain }) => trustDomain),
      createdAt: index,
    }),
  );
  return {
    entries,
    svids: new Map(
      svids.flatMap((svid, index) => (withheld.includes(svid.id) ? [] : [[`entry-${index}`, svid] as const])),
    ),
    bundle,
    federated: new Map(federated.map((other) => [other.trustDomain, other])),
  };
}

function workloadOf(peer: Peer): AttestedWorkload {
  if (peer.kind !== 'unix') throw new Error('only unix sockets are served');
  const selectors = [parseSelector(selector)];
  return vouchFor({ pid: peer.pid, uid: peer.uid, selectors, isAlive: () => peer.isAlive() });
}

function forcible(source: ResourceSource<AttestedWorkload>, given: Given) {
  const { onChange, tell } = createListeners();
  return {
    changed: () => tell(),
    source: {
      typeUrl: source.typeUrl,
      open: (workload, changed, node) => {
        const stop = onChange(changed);
        const view = source.open(workload, changed, node);
        return {
          resource: (name) => given.forced?.get(name) ?? view.resource(name),
          all: () => view.all(),
          close: () => {
            stop();
            view.close();
          },
        };
      },
    } satisfies ResourceSource<AttestedWorkload>,
  };
}
