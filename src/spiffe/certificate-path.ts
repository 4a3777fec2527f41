import { type KeyObject, X509Certificate } from 'node:crypto';
import { type Fault, fault, isFault } from '../base/faults/fault.js';
import type { Bundle } from './bundle.js';
import { type Certificate, mayIssue, readCertificate } from './certificate.js';
import { oids, signatureAlgorithms } from './oids.js';

/** While every certificate of the path is valid, both ends included; milliseconds since the Unix epoch. */
export interface PathWindow {
  from: number;
  until: number;
}

/** Checks of one signature may be at most this many for one chain, whatever was presented. */
const maxSignatureChecks = 32;

/**
 * Finds a certification path from `leaf` over `intermediates` (each at most once, in any order) to an authority of the
 * bundle, by the rules of RFC 5280 §6.1 that X509-SVID §5.1 asks for: signatures, names, validity at `atMs`, basic
 * constraints with path lengths, key usage, extended key usage, and no critical extension that was not processed.
 * Throws IDN0207, or what was wrong with the path that came furthest: IDN0209, IDN0210, IDN0211.
 */
export function findPath(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  bundle: Bundle,
  atMs: number,
): PathWindow {
  const search = newSearch(anchorsOf(bundle), atMs, [oids.serverAuth, oids.clientAuth]);
  checkAlone(leaf, atMs);
  const [path] = pathsFrom([leaf], intermediates, search);
  if (!path) throw search.problem ?? fault('IDN0207', { trustDomain: bundle.trustDomain });
  return windowOf(path);
}

/**
 * Every certification path from `leaf` to one of `anchors` by the same rules, whatever the certificates are meant for; each
 * with the leaf first and the anchor last. None is left out unless more signatures would have to be checked than the limit.
 * Empty when there is no issuer; throws what was wrong with the path that came furthest: IDN0209, IDN0210, IDN0211.
 */
export function findAllPaths(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  anchors: readonly Certificate[],
  atMs: number,
): (readonly Certificate[])[] {
  const search = newSearch(anchors, atMs, []);
  checkAlone(leaf, atMs);
  const paths = [...pathsFrom([leaf], intermediates, search)];
  if (paths.length === 0 && search.problem) throw search.problem;
  return paths;
}

interface Search {
  readonly anchors: readonly Certificate[];
  readonly atMs: number;
  /** What every issuer must be good for, where it says what it is good for. */
  readonly purposes: readonly string[];
  checksLeft: number;
  /** Why the last path that held together by its signatures was refused. */
  problem: Fault | undefined;
}

function newSearch(anchors: readonly Certificate[], atMs: number, purposes: readonly string[]): Search {
  return { anchors, atMs, purposes, checksLeft: maxSignatureChecks, problem: undefined };
}

/** One after another, so that whoever needs one only does not look for more. */
function* pathsFrom(
  path: readonly Certificate[],
  unused: readonly Certificate[],
  search: Search,
): Generator<readonly Certificate[]> {
  for (const anchor of search.anchors) if (mayFollow(path, anchor, search)) yield [...path, anchor];
  for (const next of unused) {
    if (!mayFollow(path, next, search)) continue;
    const others = unused.filter((other) => other !== next);
    yield* pathsFrom([...path, next], others, search);
  }
}

function mayFollow(path: readonly Certificate[], issuer: Certificate, search: Search): boolean {
  const subject = path.at(-1);
  if (!subject || !sameBytes(subject.issuer, issuer.subject) || search.checksLeft === 0) return false;
  search.checksLeft--;
  if (!isSignedBy(subject, issuer)) return false;
  try {
    checkAlone(issuer, search.atMs);
    checkAsIssuer(issuer, path, search.purposes);
    return true;
  } catch (error) {
    if (!isFault(error)) throw error;
    search.problem = error as Fault;
    return false;
  }
}

/** What every certificate of a path must fulfil. */
function checkAlone(certificate: Certificate, atMs: number): void {
  const { notBefore, notAfter, unprocessed, serial } = certificate;
  if (!(atMs >= notBefore && atMs <= notAfter)) {
    throw fault('IDN0209', { serial, from: written(notBefore), until: written(notAfter), at: written(atMs) });
  }
  const [extension] = unprocessed;
  if (extension !== undefined) throw fault('IDN0210', { serial, extension });
}

function checkAsIssuer(issuer: Certificate, path: readonly Certificate[], purposes: readonly string[]): void {
  const { serial, pathLength, extendedKeyUsage: stated } = issuer;
  const refuse = (problem: string) => fault('IDN0211', { serial, problem });
  if (!mayIssue(issuer)) throw refuse('it is no CA that may sign certificates');
  const below = path.slice(1).filter((certificate) => !sameBytes(certificate.subject, certificate.issuer));
  if (pathLength !== undefined && below.length > pathLength) {
    throw refuse(`its path length of ${pathLength} is exceeded`);
  }
  const serves = (purpose: string) =>
    !stated || stated.includes(purpose) || stated.includes(oids.anyExtendedKeyUsage);
  if (!purposes.every(serves)) {
    throw refuse('its extended key usage leaves out serverAuth or clientAuth');
  }
}

function isSignedBy(subject: Certificate, issuer: Certificate): boolean {
  if (!signatureAlgorithms.has(subject.signatureAlgorithm)) return false;
  try {
    const key = keyOf(issuer);
    return isBearable(key) && new X509Certificate(subject.der).verify(key);
  } catch {
    // OpenSSL cannot read one of them, or the key: not a signature that anybody could rely on.
    return false;
  }
}

const maxRsaBits = 8192;
const maxExponent = 2n ** 32n;

/** Anybody can present certificates, and a check with an RSA key of a huge exponent takes hundreds of times as long. */
function isBearable({
  asymmetricKeyDetails: { modulusLength = 0, publicExponent = 0n } = {},
}: KeyObject): boolean {
  return modulusLength <= maxRsaBits && publicExponent < maxExponent;
}

/** Kept, because reading a key costs more than a signature check, and the authorities of a bundle stay the same. */
const keys = new WeakMap<Certificate, KeyObject>();

function keyOf(issuer: Certificate): KeyObject {
  const key = keys.get(issuer) ?? new X509Certificate(issuer.der).publicKey;
  keys.set(issuer, key);
  return key;
}

function windowOf(path: readonly Certificate[]): PathWindow {
  return {
    from: Math.max(...path.map(({ notBefore }) => notBefore)),
    until: Math.min(...path.map(({ notAfter }) => notAfter)),
  };
}

const byBundle = new WeakMap<Bundle, readonly Certificate[]>();

function anchorsOf(bundle: Bundle): readonly Certificate[] {
  const known = byBundle.get(bundle) ?? bundle.x509Authorities.map(({ der }) => readCertificate(der));
  byBundle.set(bundle, known);
  return known;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const written = (ms: number): string =>
  Number.isFinite(ms) ? new Date(ms).toISOString().replace('.000Z', 'Z') : String(ms);
