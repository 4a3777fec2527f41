import { type AuthoritySet, activeAuthority } from '../ca/authority-set.js';
import type { Signer } from '../ca/issuing/order.js';
import { publicKeyName } from '../ca/public-key.js';
import type { Bundle } from '../spiffe/bundle.js';
import { readCertificate } from '../spiffe/certificate.js';

/**
 * Who signs now, and for which keys nothing is signed (S7): those of every authority and the server's own. The same value
 * until something about it changes, because threads are told of each new one.
 */
export function currentSigner() {
  let last: { bundle: Bundle; ownKeys: readonly string[]; signer: Signer } | undefined;
  let ownKeys: readonly string[] = [];
  return {
    at: (set: AuthoritySet, bundle: Bundle, now: number): Signer => {
      const authority = activeAuthority(set, now);
      const isCurrent =
        last?.bundle === bundle && last.ownKeys === ownKeys && last.signer.authority === authority;
      if (last && isCurrent) return last.signer;
      const reservedKeys = new Set([...authorityKeys(bundle), ...ownKeys]);
      last = { bundle, ownKeys, signer: { authority, reservedKeys } };
      return last.signer;
    },
    /** The one before is still used by connections that are open. */
    addOwnKey: (name: string) => {
      if (name !== ownKeys[0]) ownKeys = [name, ...ownKeys.slice(0, 1)];
    },
  };
}

/** Of every authority of the trust domain: those that sign, those that will and those that did, for JWT too. */
export function authorityKeys({ x509Authorities, jwtAuthorities }: Bundle): Set<string> {
  const certificates = x509Authorities.map(({ der }) => readCertificate(der).publicKey);
  return new Set([...certificates, ...jwtAuthorities.map(({ publicKey }) => publicKey)].map(publicKeyName));
}
