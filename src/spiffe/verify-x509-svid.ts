import { createHash } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import type { Bundle } from './bundle.js';
import { type Certificate, readCertificate } from './certificate.js';
import { findPath } from './certificate-path.js';
import { parseWorkloadId, type SpiffeId, trustDomainOf } from './id.js';
import { keyUsageBits, oids } from './oids.js';

/** An X.509-SVID that was verified: who, which certificate, and how long the certificate lasts. */
export interface VerifiedX509Svid {
  readonly id: SpiffeId;
  /** Serial number of the leaf, lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** Of the leaf; milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const maxChainLength = 8;

/**
 * Verifies an X.509-SVID as X509-SVID §5 says: a certification path (RFC 5280 §6) to an authority of `bundle`, every
 * certificate of it valid at `atMs`, and a leaf that is an SVID of the bundle's own trust domain and no signing certificate.
 *
 * `chain` holds DER certificates, the leaf first, intermediates in any order. What was verified is remembered with the
 * bundle while every certificate of its path is valid, so a bundle must be replaced, never changed.
 * Throws IDN0109, IDN0201 to IDN0211 and, for a name that is no SPIFFE ID, IDN0101 to IDN0108.
 */
export function verifyX509Svid(chain: readonly Uint8Array[], bundle: Bundle, atMs: number): VerifiedX509Svid {
  const key = keyOf(chain);
  const known = remembered(bundle);
  const earlier = known.get(key);
  if (earlier && atMs >= earlier.from && atMs <= earlier.until) return earlier.svid;

  const [leafDer, ...others] = chain;
  if (leafDer === undefined || chain.length > maxChainLength) {
    throw fault('IDN0202', { count: chain.length, limit: maxChainLength });
  }
  const leaf = readCertificate(leafDer);
  const id = svidIdOf(leaf);
  if (trustDomainOf(id) !== bundle.trustDomain) {
    throw fault('IDN0208', { id, trustDomain: bundle.trustDomain });
  }
  const { from, until } = findPath(leaf, others.map(readCertificate), bundle, atMs);
  const { serial, notBefore, notAfter } = leaf;
  const svid = { id, serial, notBefore, notAfter };
  remember(known, key, { svid, from, until });
  return svid;
}

/**
 * The SPIFFE ID that a chain's leaf claims, to find the bundle that must then verify it. **Not verified.**
 * Throws as `verifyX509Svid` does for the leaf alone. What it found is remembered with `chain`, which must not be changed.
 */
export function claimedSvidId(chain: readonly Uint8Array[]): SpiffeId {
  const known = claimed.get(chain);
  if (known) return known;
  const [leaf] = chain;
  if (leaf === undefined) throw fault('IDN0202', { count: 0, limit: maxChainLength });
  const id = svidIdOf(readCertificate(leaf));
  claimed.set(chain, id);
  return id;
}

/** A connection's chain is looked at for every call on it. */
const claimed = new WeakMap<readonly Uint8Array[], SpiffeId>();

/** The rules of a leaf on its own (X509-SVID §2, §4, §5.2). */
function svidIdOf(leaf: Certificate): SpiffeId {
  const [uri, ...others] = leaf.uris;
  if (uri === undefined || others.length > 0) throw fault('IDN0203', { count: leaf.uris.length });
  const id = parseWorkloadId(uri);
  const usage = leaf.keyUsage ?? new Set();
  if (leaf.isCa || usage.has(keyUsageBits.keyCertSign) || usage.has(keyUsageBits.cRLSign)) {
    throw fault('IDN0204', { id });
  }
  if (!usage.has(keyUsageBits.digitalSignature)) throw fault('IDN0205', { id });
  const purposes = leaf.extendedKeyUsage;
  if (purposes && !(purposes.includes(oids.serverAuth) && purposes.includes(oids.clientAuth))) {
    throw fault('IDN0206', { id });
  }
  return id;
}

interface Remembered {
  svid: VerifiedX509Svid;
  /** While every certificate of the path is valid. */
  from: number;
  until: number;
}

const maxRemembered = 1024;
const byBundle = new WeakMap<Bundle, Map<string, Remembered>>();

function remembered(bundle: Bundle): Map<string, Remembered> {
  const known = byBundle.get(bundle) ?? new Map<string, Remembered>();
  byBundle.set(bundle, known);
  return known;
}

function remember(known: Map<string, Remembered>, key: string, entry: Remembered): void {
  const [oldest] = known.keys();
  if (known.size >= maxRemembered && oldest !== undefined) known.delete(oldest);
  known.set(key, entry);
}

/** Of every byte, with the lengths, so that no other chain has the same key. */
function keyOf(chain: readonly Uint8Array[]): string {
  const known = keys.get(chain);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const der of chain) hash.update(`${der.length}:`).update(der);
  const key = hash.digest('base64');
  keys.set(chain, key);
  return key;
}

const keys = new WeakMap<readonly Uint8Array[], string>();
