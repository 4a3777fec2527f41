import type { Clock } from '../base/clock.js';
import { isFault } from '../base/faults/fault.js';
import { sameMembers } from '../base/same-members.js';
import { type CheckedSecret, secretTypeUrl } from '../envoy/secret.js';
import { tlsCertificate } from '../envoy/tls-certificate.js';
import { plainValidationContext, spiffeValidationContext } from '../envoy/validation-context.js';
import type { AttestedWorkload } from '../registration/attested-workload.js';
import type { Bundle } from '../spiffe/bundle.js';
import { trustDomainId } from '../spiffe/id.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { Log } from '../telemetry/log.js';
import type { Answer, ResourceSource } from '../xds/source.js';
import { wantsPlainContexts } from './node-wishes.js';

/** The port that the agent fills: what a workload may have as of now, and word of every change. */
export interface IdentityWatcher {
  watch(workload: AttestedWorkload, changed: () => void): IdentityWatch;
}

export interface IdentityWatch {
  /** The SVIDs, the default one first, and the bundles, the own trust domain's first; `unknown` before the first sync. */
  current(): { readonly svids: readonly X509Svid[]; readonly bundles: readonly Bundle[] } | 'unknown';
  close(): void;
}

/** The names that mean something else for every caller. */
export interface SecretNames {
  /** The caller's default SVID. Equals SPIRE's `default_svid_name`. */
  readonly svid: string;
  /** The bundle of the own trust domain. Equals SPIRE's `default_bundle_name`. */
  readonly bundle: string;
  /** The bundles of the own and all federated trust domains. Equals SPIRE's `default_all_bundles_name`. */
  readonly allBundles: string;
}

export const spireSecretNames: SecretNames = { svid: 'default', bundle: 'ROOTCA', allBundles: 'ALL' };

export interface SecretSourceOptions {
  readonly watcher: IdentityWatcher;
  readonly clock: Clock;
  readonly log: Log;
  /** SPIRE's by default. */
  readonly names?: SecretNames;
  /** No SPIFFE validator unless a client's metadata ask for it. Equals SPIRE's `disable_spiffe_cert_validation`: false. */
  readonly plainContexts?: boolean;
}

/**
 * SVIDs and trust bundles as SDS secrets (`envoy.extensions.transport_sockets.tls.v3.Secret`), each caller its own: by the
 * three names above, by SPIFFE ID, and bundles by the ID of their trust domain. A name that the caller may not have is
 * `absent`, no error: the other names are served, and this one is as soon as an entry appears. Bundles go out under Envoy's
 * SPIFFE validator, and never pooled: an authority speaks for its own trust domain and for no other. A client that says it has
 * no such validator gets single bundles as a plain `trusted_ca`, and no several at once.
 */
export function secretSource(options: SecretSourceOptions): ResourceSource<AttestedWorkload> {
  const { watcher, clock, log, names = spireSecretNames, plainContexts = false } = options;
  const checked = (make: () => CheckedSecret): Answer => {
    try {
      return make();
    } catch (error) {
      // What Envoy would refuse is not sent, so that what it has stays: a refused secret makes it refuse the next good one.
      if (!isFault(error)) throw error;
      log.error({ error }, 'a secret did not pass its checks and is not sent');
      return 'unknown';
    }
  };
  return {
    typeUrl: secretTypeUrl,
    open(workload, changed, node) {
      const isPlain = wantsPlainContexts(node, plainContexts);
      const tellAbsent = onceEach((name) => {
        const who = { pid: workload.pid, node: node?.id, name };
        log.info(who, 'a secret is asked for that the workload may not have, or not yet');
      });
      const watch = watcher.watch(workload, changed);
      const answer = (name: string, { svids, bundles }: Known): Answer => {
        const svid = name === names.svid ? svids[0] : svids.find(({ id }) => id === name);
        if (svid) return checked(() => tlsCertificate(name, svid, clock.now()));
        const asked = bundlesNamed(name, bundles, names);
        if (asked.length === 0 || (isPlain && name === names.allBundles)) return 'absent';
        return checked(() => validationContext(name, asked, isPlain));
      };
      return {
        resource(name) {
          const current = watch.current();
          const said = current === 'unknown' ? 'unknown' : answer(name, current);
          if (said === 'absent') tellAbsent(name);
          return said;
        },
        all() {
          const current = watch.current();
          if (current === 'unknown') return 'unknown';
          const ids = [
            ...current.bundles.map(({ trustDomain }) => trustDomainId(trustDomain)),
            ...current.svids.map(({ id }) => id),
          ];
          const answers = ids.map((id) => answer(id, current));
          // One that is left out would look as if it had been taken away.
          if (answers.includes('unknown')) return 'unknown';
          return answers.filter((found) => typeof found !== 'string');
        },
        close: () => watch.close(),
      };
    },
  };
}

/** Answers are made again with every change; the log needs each name once a stream. */
function onceEach(tell: (name: string) => void): (name: string) => void {
  let told: Set<string> | undefined;
  return (name) => {
    told ??= new Set();
    if (told.has(name)) return;
    told.add(name);
    tell(name);
  };
}

type Known = Exclude<ReturnType<IdentityWatch['current']>, 'unknown'>;

function bundlesNamed(name: string, bundles: readonly Bundle[], names: SecretNames): readonly Bundle[] {
  if (name === names.bundle) return bundles.slice(0, 1);
  if (name === names.allBundles) return bundles;
  return bundles.filter(({ trustDomain }) => trustDomainId(trustDomain) === name);
}

interface Encoded {
  readonly bundles: readonly Bundle[];
  readonly secret: CheckedSecret;
}

/** Contexts by their form, name and bundles, so that all streams share one encoding; forgotten with the first bundle. */
const encoded = new WeakMap<Bundle, Map<string, Encoded>>();

/** In the plain form there is only ever one bundle. */
function validationContext(name: string, bundles: readonly Bundle[], isPlain: boolean): CheckedSecret {
  const [first] = bundles;
  if (!first) throw new Error('a validation context of no bundle');
  const known = encoded.get(first) ?? new Map<string, Encoded>();
  encoded.set(first, known);
  const key = `${isPlain} ${name}`;
  const last = known.get(key);
  if (last && sameMembers(last.bundles, bundles)) return last.secret;
  const secret = isPlain ? plainValidationContext(name, first) : spiffeValidationContext(name, bundles);
  known.set(key, { bundles, secret });
  return secret;
}
