import { fault } from '../base/faults/fault.js';

declare const brand: unique symbol;

/** The name of a trust domain, without scheme: `prod.example` (SPIFFE-ID §2.1). Made only by `parseTrustDomain`. */
export type TrustDomain = string & { readonly [brand]: 'TrustDomain' };

/** A SPIFFE ID as it is written, `spiffe://prod.example/web`; equality is string equality (SPIFFE-ID §2). */
export type SpiffeId = string & { readonly [brand]: 'SpiffeId' };

const scheme = 'spiffe://';
const maxIdBytes = 2048;
const maxTrustDomainBytes = 255;

/** Reads the name of a trust domain; nothing is normalised. Throws IDN0102, IDN0103, IDN0104. */
export function parseTrustDomain(name: string): TrustDomain {
  if (name === '') throw fault('IDN0102', { id: scheme });
  const bad = /[^a-z0-9._-]/u.exec(name);
  if (bad) throw fault('IDN0103', { trustDomain: name, character: bad[0] });
  if (name.length > maxTrustDomainBytes) throw fault('IDN0104', { bytes: name.length });
  return name as TrustDomain;
}

/**
 * Reads a SPIFFE ID, with or without a path, exactly as SPIFFE-ID §2 says; nothing is normalised.
 * Throws IDN0101 to IDN0108.
 */
export function parseSpiffeId(id: string): SpiffeId {
  if (!id.startsWith(scheme)) throw fault('IDN0101', { id });
  const bytes = Buffer.byteLength(id);
  if (bytes > maxIdBytes) throw fault('IDN0108', { bytes });
  const rest = id.slice(scheme.length);
  const slash = rest.indexOf('/');
  const trustDomain = slash < 0 ? rest : rest.slice(0, slash);
  if (trustDomain === '') throw fault('IDN0102', { id });
  parseTrustDomain(trustDomain);
  if (slash >= 0) checkPath(id, rest.slice(slash + 1));
  return id as SpiffeId;
}

/** Reads a SPIFFE ID that must name a workload: one with a path. Throws IDN0101 to IDN0109. */
export function parseWorkloadId(id: string): SpiffeId {
  const parsed = parseSpiffeId(id);
  if (pathOf(parsed) === '') throw fault('IDN0109', { id });
  return parsed;
}

function checkPath(id: string, path: string): void {
  for (const segment of path.split('/')) {
    if (segment === '') throw fault('IDN0106', { id });
    if (segment === '.' || segment === '..') throw fault('IDN0107', { id, segment });
    const bad = /[^A-Za-z0-9._-]/u.exec(segment);
    if (bad) throw fault('IDN0105', { id, character: bad[0] });
  }
}

export function trustDomainOf(id: SpiffeId): TrustDomain {
  const end = id.indexOf('/', scheme.length);
  return id.slice(scheme.length, end < 0 ? undefined : end) as TrustDomain;
}

/** The path with its leading slash, or `''` for the ID of a trust domain. */
export function pathOf(id: SpiffeId): string {
  const start = id.indexOf('/', scheme.length);
  return start < 0 ? '' : id.slice(start);
}

/** The SPIFFE ID of the trust domain itself: `spiffe://prod.example`. */
export function trustDomainId(trustDomain: TrustDomain): SpiffeId {
  return `${scheme}${trustDomain}` as SpiffeId;
}

/** `path` starts with a slash. Throws as `parseWorkloadId` does. */
export function workloadId(trustDomain: TrustDomain, path: string): SpiffeId {
  return parseWorkloadId(`${scheme}${trustDomain}${path}`);
}
