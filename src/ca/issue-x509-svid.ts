import { randomBytes } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import { signedCertificate } from '../spiffe/certificate-writer.js';
import { parseWorkloadId, type SpiffeId, trustDomainOf } from '../spiffe/id.js';
import { backdateMs, noAuthorityAt, type SigningAuthority, wholeSecondAfter } from './authority.js';
import { keyName, parsePublicKey, type SubjectKey } from './public-key.js';
import { signWith } from './signing-key.js';
import { type SvidContent, svidTemplate } from './svid-template.js';

export interface SvidRequest {
  id: SpiffeId;
  /** SubjectPublicKeyInfo, DER, or what was read from it. */
  publicKey: Uint8Array | SubjectKey;
  dnsNames: readonly string[];
  /** Shortened where the authority ends earlier. */
  ttlSeconds: number;
  /** Milliseconds since the Unix epoch. */
  now: number;
}

export interface IssuedSvid {
  readonly id: SpiffeId;
  /** DER certificates, the leaf first, the root left out. */
  readonly chain: readonly Uint8Array[];
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Issues an X.509-SVID. Everything in it comes from the request and nothing from a CSR. `reservedKeys` are the names of keys
 * (`keyName`) that no SVID may have; the authority's own is always among them.
 * Throws IDN0109 and CAS0101 to CAS0106, CAS0201, CAS0202.
 */
export async function issueX509Svid(
  authority: SigningAuthority,
  request: SvidRequest,
  reservedKeys: ReadonlySet<string> = new Set(),
): Promise<IssuedSvid> {
  const content = checkedContent(authority, request, reservedKeys);
  const tbs = templateOf(authority)(content);
  const leaf = signedCertificate(tbs, await signWith(authority.key, tbs));
  const { id, serial, notBefore, notAfter } = content;
  return { id, chain: [leaf], serial: serial.toString('hex').replace(/^0+/, ''), notBefore, notAfter };
}

function checkedContent(
  authority: SigningAuthority,
  request: SvidRequest,
  reservedKeys: ReadonlySet<string>,
): SvidContent & { serial: Buffer } {
  const id = parseWorkloadId(request.id);
  if (trustDomainOf(id) !== authority.trustDomain) {
    throw fault('CAS0101', { id, trustDomain: authority.trustDomain });
  }
  const key = subjectKeyOf(request);
  if (Buffer.compare(key.keyId, authority.keyId) === 0 || reservedKeys.has(keyName(key))) {
    throw fault('CAS0102', { id });
  }
  const dnsNames = request.dnsNames.map(checkedDnsName);
  return { serial: newSerial(), ...windowOf(authority, request), key, id, dnsNames };
}

/** What was read before is not read again. */
export function subjectKeyOf({ publicKey }: Pick<SvidRequest, 'publicKey'>): SubjectKey {
  return publicKey instanceof Uint8Array ? parsePublicKey(publicKey) : publicKey;
}

const templates = new WeakMap<SigningAuthority, ReturnType<typeof svidTemplate>>();

function templateOf(authority: SigningAuthority): ReturnType<typeof svidTemplate> {
  const template = templates.get(authority) ?? svidTemplate(authority);
  templates.set(authority, template);
  return template;
}

const serialBytes = 16;
let random = Buffer.alloc(0);

/** Random bytes are fetched for many serial numbers at once: fetching them costs more than all else in a template. */
function newSerial(): Buffer {
  if (random.length === 0) random = randomBytes(serialBytes * 256);
  const serial = Buffer.from(random.subarray(0, serialBytes));
  random = random.subarray(serialBytes);
  return serial;
}

/** Both ends within the authority's own life; nothing is issued outside of it. */
function windowOf(authority: SigningAuthority, { now, ttlSeconds }: SvidRequest) {
  if (!(ttlSeconds >= 1)) throw fault('CAS0103', { ttl: ttlSeconds });
  if (!(now >= authority.notBefore && now < authority.notAfter)) throw noAuthorityAt(now);
  const end = Math.floor((now + ttlSeconds * 1000) / 1000) * 1000;
  return {
    notBefore: Math.max(wholeSecondAfter(now - backdateMs), authority.notBefore),
    notAfter: Math.min(end, authority.notAfter),
  };
}

function checkedDnsName(name: string): string {
  if (
    name.length > 253 ||
    !name.split('.').every((part, i) => label.test(part) && (i === 0 || part !== '*'))
  ) {
    throw fault('CAS0105', { name });
  }
  return name;
}

const label = /^(?:\*|[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)$/;
