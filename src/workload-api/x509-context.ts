import { createPrivateKey, X509Certificate } from 'node:crypto';
import { DerReader, MalformedDer } from '../base/der/reader.js';
import { fault, isFault } from '../base/faults/fault.js';
import type { Bundle } from '../spiffe/bundle.js';
import { parseX509Authority } from '../spiffe/bundle-pem.js';
import { parseSpiffeId, parseWorkloadId, type TrustDomain, trustDomainOf } from '../spiffe/id.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { MessageOut } from '../wire/names.js';

/** All that a Workload API gave at one time; it takes the place of what was given before, whole (Workload API §4.4). */
export interface X509Context {
  /** The default one first; of several with one hint only the first. Never empty. */
  readonly svids: readonly { readonly svid: X509Svid; readonly hint: string }[];
  readonly bundles: ReadonlyMap<TrustDomain, Bundle>;
}

/**
 * Reads one answer of a Workload API, whose SVIDs must be good by the bundles that come with them and belong to their keys. One
 * that is not refuses the whole answer, so that the last good one stays. Throws WLA0503.
 */
export function readX509Context(message: MessageOut<'X509SVIDResponse'>, now: number): X509Context {
  try {
    return contextOf(message, now);
  } catch (error) {
    if (!isFault(error) && !(error instanceof MalformedDer) && !isOpensslError(error)) throw error;
    const problem = error instanceof Error ? error.message : '';
    throw fault('WLA0503', { problem }, { cause: error });
  }
}

function contextOf({ svids = [], federated_bundles = {} }: MessageOut<'X509SVIDResponse'>, now: number) {
  if (svids.length === 0) throw fault('WLA0503', { problem: 'it has no SVID' });
  const bundles = new Map<TrustDomain, Bundle>();
  for (const [name, der] of Object.entries(federated_bundles)) {
    const trustDomain = trustDomainOf(parseSpiffeId(name));
    bundles.set(trustDomain, bundleOf(trustDomain, der));
  }
  const hints = new Set<string>();
  const read: { svid: X509Svid; hint: string }[] = [];
  for (const { hint = '', ...message } of svids) {
    if (hints.has(hint)) continue;
    if (hint !== '') hints.add(hint);
    const trustDomain = trustDomainOf(parseWorkloadId(message.spiffe_id ?? ''));
    const bundle = bundleOf(trustDomain, message.bundle);
    bundles.set(trustDomain, bundle);
    read.push({ svid: svidOf(message, bundle, now), hint });
  }
  return { svids: read, bundles };
}

function svidOf(message: MessageOut<'X509SVID'>, bundle: Bundle, now: number): X509Svid {
  const chain = certificatesIn(message.x509_svid);
  const { id, notBefore, notAfter } = verifyX509Svid(chain, bundle, now);
  if (id !== message.spiffe_id) throw fault('WLA0503', { problem: 'an SVID is for another identity' });
  const privateKey = message.x509_svid_key ?? Buffer.alloc(0);
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' });
  if (!new X509Certificate(chain[0] ?? Buffer.alloc(0)).checkPrivateKey(key)) {
    throw fault('WLA0503', { problem: 'a key does not belong to its SVID' });
  }
  return { id, chain, privateKey, notBefore, notAfter };
}

function bundleOf(trustDomain: TrustDomain, der: Uint8Array | undefined): Bundle {
  const x509Authorities = certificatesIn(der).map((one) => parseX509Authority(one));
  return { trustDomain, x509Authorities, jwtAuthorities: [], sequence: 0n, refreshHint: 0 };
}

/** Certificates that follow each other without anything between them. */
function certificatesIn(der: Uint8Array = new Uint8Array()): Uint8Array[] {
  const reader = new DerReader(der);
  const found: Uint8Array[] = [];
  while (!reader.isAtEnd) found.push(reader.any().whole);
  return found;
}

/** A key that cannot be read. */
const isOpensslError = (error: unknown) => error instanceof Error && 'code' in error;
