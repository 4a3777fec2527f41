import { fault } from '../base/faults/fault.js';
import { sameMembers } from '../base/same-members.js';
import type { Bundle, JwtAuthority, X509Authority } from '../spiffe/bundle.js';
import { readCertificate } from '../spiffe/certificate.js';
import type { AppendedAuthorities } from './ports.js';

/** Those that have not ended. `now` in milliseconds since the Unix epoch. */
export function livingAt(
  { x509Authorities, jwtAuthorities }: AppendedAuthorities,
  now: number,
): AppendedAuthorities {
  return {
    x509Authorities: x509Authorities.filter(({ der }) => now <= readCertificate(der).notAfter),
    jwtAuthorities: jwtAuthorities.filter(({ expiresAt }) => expiresAt === 0 || now <= expiresAt * 1000),
  };
}

/** Whether both have the very same objects. */
export function sameAuthorities(one: AppendedAuthorities, other: AppendedAuthorities): boolean {
  return (
    sameMembers(one.x509Authorities, other.x509Authorities) &&
    sameMembers(one.jwtAuthorities, other.jwtAuthorities)
  );
}

/** What a bundle does not have yet. */
export function withoutKnown(added: AppendedAuthorities, bundle: Bundle): AppendedAuthorities {
  return {
    x509Authorities: added.x509Authorities.filter((one) => !bundle.x509Authorities.some(isSameRoot(one))),
    jwtAuthorities: added.jwtAuthorities.filter((one) => !bundle.jwtAuthorities.some(isSameKey(one))),
  };
}

/** A key ID names one key: with two, what a token's ID means would depend on who reads it. Throws SRV0607. */
export function checkKeyIds(added: AppendedAuthorities, bundle: Bundle): void {
  const known = [...bundle.jwtAuthorities, ...added.jwtAuthorities];
  for (const authority of added.jwtAuthorities) {
    const { keyId } = authority;
    const others = known.filter((one) => one.keyId === keyId);
    if (!others.every(isSameKey(authority))) throw fault('SRV0607', { keyId });
  }
}

const isSameRoot = (one: X509Authority) => (other: X509Authority) => Buffer.compare(one.der, other.der) === 0;

const isSameKey = (one: JwtAuthority) => (other: JwtAuthority) =>
  one.keyId === other.keyId && Buffer.compare(one.publicKey, other.publicKey) === 0;
