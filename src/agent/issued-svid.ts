import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import { wipeWhenUnused } from '../base/wipe.js';
import { makeCsr } from '../ca/csr.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { SpiffeId } from '../spiffe/id.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';
import type { X509Svid } from '../spiffe/x509-svid.js';

/** A new P-256 key and the request to certify it. The key lives in this process's memory only. */
export interface KeyRequest {
  readonly privateKey: KeyObject;
  readonly csr: Uint8Array;
}

/** `id` is asked for in the request where SPIRE asks for it: for workloads, not for agents. */
export function newKeyRequest(id?: SpiffeId): KeyRequest {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, csr: makeCsr(privateKey, id) };
}

/**
 * Takes an SVID from the server only if it is one: verified against the bundle, for our key, and for the identity that
 * `isExpected` wants. What goes on from here to a workload has been checked. Throws AGT0301 and what `verifyX509Svid` throws.
 */
export function acceptSvid(
  chain: readonly Uint8Array[],
  privateKey: KeyObject,
  bundle: Bundle,
  isExpected: (id: SpiffeId) => boolean,
  now: number,
): X509Svid {
  const { id, notBefore, notAfter } = verifyX509Svid(chain, bundle, now);
  if (!isExpected(id))
    throw fault('AGT0301', { id, problem: 'it is for another identity than was asked for' });
  const [leaf = new Uint8Array()] = chain;
  if (!new X509Certificate(leaf).checkPrivateKey(privateKey)) {
    throw fault('AGT0301', { id, problem: 'it is for another key than was asked for' });
  }
  const pkcs8 = wipeWhenUnused(privateKey.export({ format: 'der', type: 'pkcs8' }));
  return { id, chain, privateKey: pkcs8, notBefore, notAfter };
}

/**
 * When to replace an SVID: at half of its life, give or take a tenth, so that what was issued together is not renewed
 * together. `random` is in [0, 1).
 */
export function rotationTime(notAfter: number, issuedAt: number, random: number): number {
  return issuedAt + (notAfter - issuedAt) * (0.45 + 0.1 * random);
}

/** Whether its rotation has failed for a twentieth of its life or longer: no longer what takes a moment, and long before its end. */
export function isLate({ notBefore, notAfter }: X509Svid, rotateAt: number, now: number): boolean {
  return now > rotateAt + (notAfter - notBefore) / 20;
}

/** Whether an SVID is still vouched for by an authority that may issue: not a tainted one, nor one that has gone. */
export function isVouchedFor({ chain }: X509Svid, bundle: Bundle, now: number): boolean {
  try {
    verifyX509Svid(chain, untainted(bundle), now);
    return true;
  } catch {
    return false;
  }
}

const withoutTainted = new WeakMap<Bundle, Bundle>();

/** The same object for the same bundle, since verified chains are remembered by bundle object. */
function untainted(bundle: Bundle): Bundle {
  if (!bundle.x509Authorities.some(({ tainted }) => tainted)) return bundle;
  const known = withoutTainted.get(bundle) ?? {
    ...bundle,
    x509Authorities: bundle.x509Authorities.filter(({ tainted }) => !tainted),
  };
  withoutTainted.set(bundle, known);
  return known;
}
