import { fault } from '../base/faults/fault.js';
import type { SpiffeId, TrustDomain } from '../spiffe/id.js';
import { parseSpiffeId, parseTrustDomain, parseWorkloadId, pathOf, trustDomainOf } from '../spiffe/id.js';
import type { Selector } from './entry.js';
import { canonicalSelectors } from './selector.js';

// What an entry may say, field by field; each function throws the fault of its field. Equal to SPIRE's rules where SPIRE
// has one. SPIFFE IDs longer than 2048 bytes are refused by `parseSpiffeId` (ID-11).

/** IDs of the server and its agents: no workload may have one (S3). */
function isReservedPath(path: string): boolean {
  return path === '/spire' || path.startsWith('/spire/');
}

/** The identity that an entry gives. Throws IDN01xx, REG0201, REG0202. */
export function checkEntryId(id: string, trustDomain: TrustDomain): SpiffeId {
  const parsed = parseMember(id, trustDomain);
  if (isReservedPath(pathOf(parsed))) throw fault('REG0202', { id });
  return parsed;
}

/** The agent, alias, or (for an alias) server under which an entry stands. Throws IDN01xx, REG0201. */
export function checkParentId(id: string, trustDomain: TrustDomain): SpiffeId {
  return parseMember(id, trustDomain);
}

/** In canonical order. Throws REG0203 when there is none. */
export function checkSelectors(selectors: readonly Selector[]): Selector[] {
  if (selectors.length === 0) throw fault('REG0203', {});
  return canonicalSelectors(selectors);
}

/** Seconds, 0 for the server's default. Throws REG0204. */
export function checkTtl(seconds: number): number {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > maxInt32) throw fault('REG0204', { seconds });
  return seconds;
}

/** A DNS name for a certificate: RFC 1123 labels in lower case, `*` only as the whole first label. Throws REG0205. */
export function checkDnsName(name: string): string {
  const labels = (name.startsWith('*.') ? name.slice(2) : name).split('.');
  const valid = name.length <= 253 && labels.every(isDnsLabel) && !/^[0-9]+$/.test(labels.at(-1) ?? '');
  if (!valid) throw fault('REG0205', { name });
  return name;
}

/** Throws REG0206, REG0210. */
export function checkHint(hint: string): string {
  if (/[\p{Cc}\p{Cs}]/u.test(hint)) throw fault('REG0210', { hint });
  const length = Buffer.byteLength(hint);
  if (length > maxHintBytes) throw fault('REG0206', { length, max: maxHintBytes });
  return hint;
}

/** A store of secrets is one attestor's: an SVID is put into it by selectors of one type. Throws REG0213. */
export function checkStoreSvid(storeSvid: boolean, selectors: readonly Selector[]): boolean {
  const types = new Set(selectors.map(({ type }) => type));
  if (storeSvid && types.size > 1) throw fault('REG0213', { types: [...types].join(', ') });
  return storeSvid;
}

/** The name of an entry itself, where the caller chooses one. Throws REG0207. */
export function checkEntryName(id: string): string {
  if (id.length > 255 || /[^A-Za-z0-9._-]/u.test(id) || id === '') throw fault('REG0207', { id });
  return id;
}

/** A foreign trust domain whose bundle the workload is to have, with or without `spiffe://`. Throws IDN01xx, REG0208. */
export function checkFederatesWith(name: string, own: TrustDomain | undefined): TrustDomain {
  const trustDomain = name.startsWith('spiffe://')
    ? trustDomainOf(parseSpiffeId(name))
    : parseTrustDomain(name);
  if (trustDomain === own) throw fault('REG0208', { trustDomain });
  return trustDomain;
}

/** Seconds since the Unix epoch, 0 for never. Throws REG0209. */
export function checkExpiry(seconds: number): number {
  if (!Number.isSafeInteger(seconds) || seconds < 0) throw fault('REG0209', { seconds });
  return seconds;
}

const maxInt32 = 2 ** 31 - 1;
const maxHintBytes = 1024;

function parseMember(id: string, trustDomain: TrustDomain): SpiffeId {
  const parsed = parseWorkloadId(id);
  if (trustDomainOf(parsed) !== trustDomain) throw fault('REG0201', { id, trustDomain });
  return parsed;
}

function isDnsLabel(label: string): boolean {
  return label.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label);
}
