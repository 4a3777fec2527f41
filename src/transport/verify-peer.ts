import type { Clock } from '../base/clock.js';
import { Fault, fault } from '../base/faults/fault.js';
import { trustDomainOf } from '../spiffe/id.js';
import type { BundleSource } from '../spiffe/source.js';
import { claimedSvidId, verifyX509Svid } from '../spiffe/verify-x509-svid.js';
import type { Peer } from './peer.js';
import type { VerifiedPeer } from './verified-peer.js';

/**
 * Verifies the X.509-SVID that a TLS peer presented against the bundle of the SVID's own trust domain. Called for every call,
 * so that an expired SVID or an authority that was removed counts at once, on open connections too.
 * Throws TRN0201 (nothing presented, or no TLS), TRN0202 (a trust domain that we do not know), TRN0203 (does not verify).
 */
export function verifyPeer(peer: Peer, bundles: BundleSource, clock: Clock): VerifiedPeer {
  const verified = verifyPeerIfPresented(peer, bundles, clock);
  if (!verified) throw fault('TRN0201', {});
  return verified;
}

/**
 * The same for methods that a peer without a certificate may call too: `undefined` means that it presented nothing at all.
 * What was presented and does not verify is refused, never taken for nothing (S15).
 */
export function verifyPeerIfPresented(
  peer: Peer,
  bundles: BundleSource,
  clock: Clock,
): VerifiedPeer | undefined {
  if (peer.kind !== 'tls' || peer.presented.length === 0) return undefined;
  try {
    const trustDomain = trustDomainOf(claimedSvidId(peer.presented));
    const bundle = bundles.bundle(trustDomain);
    if (!bundle) throw fault('TRN0202', { trustDomain });
    const { id, serial, notBefore, notAfter } = verifyX509Svid(peer.presented, bundle, clock.now());
    // The only place where a VerifiedPeer is made.
    return { id, serial, notBefore, notAfter } as VerifiedPeer;
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'TRN0202') throw error;
    throw fault('TRN0203', { problem: error.message }, { cause: error });
  }
}
