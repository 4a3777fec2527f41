import type { Clock } from '../base/clock.js';
import { fault } from '../base/faults/fault.js';
import { createListeners } from '../base/listeners.js';
import type { Bundle } from '../spiffe/bundle.js';
import { type TrustDomain, workloadId } from '../spiffe/id.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';

/** Checks a server's certificates (DER, leaf first); throws what is wrong with them. */
export type VerifyServer = (chain: readonly Uint8Array[]) => void;

/** The one server ID of a trust domain, as SPIRE has it. */
export const serverId = (trustDomain: TrustDomain) => workloadId(trustDomain, '/spire/server');

/**
 * A server is ours when its SVID is verified by the trust domain's bundle as of now and names `spiffe://<td>/spire/server`.
 * The address plays no part. Throws AGT0201.
 */
export function serverVerifier(options: {
  /** Of the server that is asked now. */
  address: () => string;
  trustDomain: TrustDomain;
  bundle: () => Bundle | undefined;
  clock: Clock;
}): VerifyServer {
  const { address, trustDomain, bundle, clock } = options;
  return (chain) => {
    try {
      const trusted = bundle();
      if (!trusted) throw new Error('there is no trust bundle yet');
      const { id } = verifyX509Svid(chain, trusted, clock.now());
      if (id !== serverId(trustDomain)) throw new Error(`it is ${id}`);
    } catch (error) {
      throw fault('AGT0201', { address: address(), trustDomain, reason: reasonOf(error) }, { cause: error });
    }
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The trust domain's own bundle as the agent holds it. */
export interface OwnBundle {
  current(): Bundle | undefined;
  /** Gives what is held now: the object from before while the contents are the same. An empty bundle is refused: AGT0203. */
  replace(bundle: Bundle): Bundle;
  onChange(listener: () => void): () => void;
}

export function createOwnBundle(trustDomain: TrustDomain): OwnBundle {
  let held: Bundle | undefined;
  const { onChange, tell } = createListeners();
  return {
    current: () => held,
    replace(bundle) {
      if (bundle.trustDomain !== trustDomain || bundle.x509Authorities.length === 0) {
        throw fault('AGT0203', { trustDomain });
      }
      if (held && sameBundle(held, bundle)) return held;
      held = bundle;
      tell();
      return bundle;
    },
    onChange,
  };
}

export function sameBundle(one: Bundle, other: Bundle): boolean {
  return fingerprint(one) === fingerprint(other);
}

function fingerprint({
  trustDomain,
  x509Authorities,
  jwtAuthorities,
  sequence,
  refreshHint,
}: Bundle): string {
  const x509 = x509Authorities.map(({ der, tainted }) => [Buffer.from(der).toString('base64'), tainted]);
  const jwt = jwtAuthorities.map(({ keyId, publicKey, expiresAt, tainted }) => [
    keyId,
    Buffer.from(publicKey).toString('base64'),
    expiresAt,
    tainted,
  ]);
  return JSON.stringify([trustDomain, x509, jwt, String(sequence), refreshHint]);
}
