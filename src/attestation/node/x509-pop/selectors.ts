import { createHash } from 'node:crypto';
import { DerReader, MalformedDer, tags } from '../../../base/der/reader.js';
import { Fault } from '../../../base/faults/fault.js';
import type { Selector } from '../../../registration/entry.js';
import { checkSelector } from '../../../registration/selector.js';
import type { TrustDomain } from '../../../spiffe/id.js';
import { oids } from '../../../spiffe/oids.js';
import type { NodeChain } from './node-chain.js';
import { x509PopType } from './protocol.js';

/** SHA-1 of a certificate in lower-case hexadecimal: a name, not a proof, and the one that SPIRE gives it. */
export function fingerprintOf(der: Uint8Array): string {
  return createHash('sha1').update(der).digest('hex');
}

/**
 * What a verified chain says about its node, as SPIRE's plugin words it: `subject:cn:<name>`, `ca:fingerprint:<sha1>` for every
 * certificate above the leaf, `serialnumber:<hex>` with an even number of digits, and `san:<key>:<value>` for URI names
 * `x509pop://<trust domain>/<key>/<value>`. What cannot be written as a selector is left out (S1: nothing is rewritten).
 */
export function nodeSelectors({ leaf, paths }: NodeChain, trustDomain: TrustDomain): Selector[] {
  const commonName = commonNameOf(leaf.subject);
  const issuers = new Set(paths.flatMap((path) => path.slice(1)).map(({ der }) => fingerprintOf(der)));
  const values = [
    ...(commonName === undefined ? [] : [`subject:cn:${commonName}`]),
    ...[...issuers].map((fingerprint) => `ca:fingerprint:${fingerprint}`),
    `serialnumber:${leaf.serial.length % 2 === 1 ? '0' : ''}${leaf.serial}`,
    ...namedValues(leaf.uris, trustDomain).map(([key, value]) => `san:${key}:${value}`),
  ];
  return values.flatMap((value) => writable({ type: x509PopType, value }));
}

function writable(selector: Selector): Selector[] {
  try {
    return [checkSelector(selector)];
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

/** The last one of a key counts, as in SPIRE; escapes are not read. */
function namedValues(uris: readonly string[], trustDomain: TrustDomain): [key: string, value: string][] {
  const prefix = `x509pop://${trustDomain}/`;
  const byKey = new Map<string, string>();
  for (const uri of uris) {
    if (!uri.startsWith(prefix)) continue;
    const [, key, value] = /^([^/%?#]+)\/([^%?#]+)$/.exec(trimSlashes(uri.slice(prefix.length))) ?? [];
    if (key !== undefined && value !== undefined) byKey.set(key, value);
  }
  return [...byKey];
}

const trimSlashes = (path: string): string => path.replace(/^\/+/, '').replace(/(?<!\/)\/+$/, '');

const textTags: ReadonlySet<number> = new Set([tags.utf8String, tags.printableString, tags.ia5String]);

/** Of a DER name (RFC 5280 §4.1.2.4): the last common name, if it is a text that has one reading only. */
function commonNameOf(name: Uint8Array): string | undefined {
  let found: string | undefined;
  try {
    const parts = new DerReader(name).enter(tags.sequence);
    while (!parts.isAtEnd) {
      const attributes = parts.enter(tags.set);
      while (!attributes.isAtEnd) {
        const attribute = attributes.enter(tags.sequence);
        const isCommonName = attribute.oid() === oids.commonName;
        const { tag, content } = attribute.any();
        if (isCommonName) found = textTags.has(tag) ? utf8(content) : undefined;
      }
    }
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    return undefined;
  }
  return found || undefined;
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
