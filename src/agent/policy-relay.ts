import { contentVersion } from '../base/digest.js';
import { denyAllFilter, extensionConfigTypeUrl } from '../envoy/rbac/http-filter.js';
import type { AttestedWorkload } from '../registration/attested-workload.js';
import type { Log } from '../telemetry/log.js';
import { decode, encodeAny } from '../wire/messages.js';
import type { EncodedResource } from '../wire/resource.js';
import type { ResourceSource } from '../xds/source.js';
import type { Identities } from './identities.js';

/** The policies that the server sent for the services of this node, the last good state of them. */
export interface PolicyFeed {
  /** Replaced as a whole with every change; `unknown` until everything came once in this life. */
  current(): ReadonlyMap<string, EncodedResource> | 'unknown';
  onChange(listener: () => void): () => void;
}

export interface PolicyRelayOptions {
  feed: PolicyFeed;
  identities: Identities;
  log: Log;
}

const extensionConfig = 'envoy.config.core.v3.TypedExtensionConfig';
/** The policy of the one service that the caller's default SVID names. */
const shortName = 'plastron/http';

/**
 * Hands the server's policies on to the workloads of this node, as an ECDS source. A policy's alias is the SPIFFE ID of its
 * service: only a workload with that identity gets it. Whatever else is asked for (the policy of another service, a service
 * without policy, a name that means nothing) is answered with a filter of that name that denies everything, never with
 * "removed": an Envoy that waits for its first configuration would stay shut in silence. Before the first sync with the server
 * nothing is said, so that what Envoy has stays.
 */
export function policyRelay({ feed, identities, log }: PolicyRelayOptions): ResourceSource<AttestedWorkload> {
  /** What the workload may have as of now, the policies of its default identity first. */
  const permitted = (workload: AttestedWorkload): Permitted | 'unknown' => {
    const policies = feed.current();
    const entries = workload.isAlive() ? identities.entriesOf(workload) : 'unknown';
    if (policies === 'unknown' || entries === 'unknown') return 'unknown';
    const byId = policiesById(policies);
    const [ofDefault = [], ...others] = entries.map(({ spiffeId }) => byId.get(spiffeId) ?? []);
    return { ofDefault, all: [...ofDefault, ...others.flat()] };
  };
  const answer = (name: string, may: Permitted): EncodedResource => {
    if (name !== shortName) return may.all.find((policy) => policy.name === name) ?? denied(name);
    const [only, ...others] = may.ofDefault;
    if (others.length > 0) {
      log.warn(
        { policies: may.ofDefault.map((policy) => policy.name) },
        'two policies for one identity: denied',
      );
    }
    return only && others.length === 0 ? renamed(only, name) : denied(name);
  };
  return {
    typeUrl: extensionConfigTypeUrl,
    open(workload, changed) {
      const stops = [feed.onChange(changed), identities.onChange(changed)];
      return {
        resource(name) {
          // No resource can have the empty name.
          if (name === '') return 'absent';
          const may = permitted(workload);
          return may === 'unknown' ? 'unknown' : answer(name, may);
        },
        all() {
          const may = permitted(workload);
          return may === 'unknown' ? 'unknown' : may.all;
        },
        close() {
          for (const stop of stops) stop();
        },
      };
    },
  };
}

interface Permitted {
  readonly ofDefault: readonly EncodedResource[];
  readonly all: readonly EncodedResource[];
}

const indexed = new WeakMap<ReadonlyMap<string, EncodedResource>, Map<string, EncodedResource[]>>();

/** By the SPIFFE ID of the service, which the server names as the resource's alias. */
function policiesById(policies: ReadonlyMap<string, EncodedResource>): Map<string, EncodedResource[]> {
  const known = indexed.get(policies);
  if (known) return known;
  const byId = new Map<string, EncodedResource[]>();
  for (const policy of policies.values()) {
    for (const alias of policy.aliases ?? []) byId.set(alias, [...(byId.get(alias) ?? []), policy]);
  }
  indexed.set(policies, byId);
  return byId;
}

const denials = new Map<string, EncodedResource>();

/** Encoded once a name; callers choose names, so they are forgotten when there are too many. */
function denied(name: string): EncodedResource {
  const filter = denials.get(name) ?? denyAllFilter(name);
  if (denials.size >= 1000) denials.clear();
  denials.set(name, filter);
  return filter;
}

const shortened = new WeakMap<EncodedResource, EncodedResource>();

/** The same filter under the name that was asked for: Envoy refuses a resource whose inner name is another. */
function renamed(policy: EncodedResource, name: string): EncodedResource {
  const known = shortened.get(policy);
  if (known) return known;
  const { value = Buffer.alloc(0) } = decode('google.protobuf.Any', policy.any);
  const { type_url = '', value: filter = Buffer.alloc(0) } =
    decode(extensionConfig, value).typed_config ?? {};
  const any = encodeAny(extensionConfig, { name, typed_config: { type_url, value: filter } });
  const made = { name, version: contentVersion(any), any };
  shortened.set(policy, made);
  return made;
}
