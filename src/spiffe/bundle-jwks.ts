import { createPublicKey, type JsonWebKey, X509Certificate } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import { type Json, type JsonObject, MalformedJson, parseJson } from '../base/json.js';
import type { Bundle, JwtAuthority, X509Authority } from './bundle.js';
import { parseX509Authority } from './bundle-pem.js';
import type { TrustDomain } from './id.js';

const maxCharacters = 1024 * 1024;
const maxKeys = 1000;
const maxSequence = 2n ** 64n - 1n;

/** Writes a bundle in SPIFFE's own format, a JWK set (Trust Domain and Bundle §4, X509-SVID §6.1, JWT-SVID §6.1). */
export function bundleToJwks(bundle: Bundle): string {
  const keys = [
    ...bundle.x509Authorities.map(x509Jwk),
    ...bundle.jwtAuthorities.map((authority) => jwtJwk(authority, 'jwt-svid')),
  ];
  const refreshHint = bundle.refreshHint > 0 ? `"spiffe_refresh_hint":${bundle.refreshHint},` : '';
  // Put together by hand: JSON.stringify cannot write a 64-bit number.
  return `{"spiffe_sequence":${bundle.sequence},${refreshHint}"keys":${JSON.stringify(keys)}}\n`;
}

function x509Jwk({ der }: X509Authority): object {
  const { kty, ...key } = new X509Certificate(der).publicKey.export({ format: 'jwk' });
  return { kty, use: 'x509-svid', ...key, x5c: [Buffer.from(der).toString('base64')] };
}

/**
 * The JWT authorities alone, as the Workload API gives them to workloads (Workload API §6.2.2): a plain JWK set (RFC 7517)
 * with key IDs and without SPIFFE's own parameters, as SPIRE's agent has it.
 */
export function jwtKeysToJwks({ jwtAuthorities }: Bundle): string {
  return JSON.stringify({ keys: jwtAuthorities.map((authority) => jwtJwk(authority)) });
}

function jwtJwk({ keyId, publicKey }: JwtAuthority, use?: 'jwt-svid'): object {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const { kty, ...others } = key.export({ format: 'jwk' });
  return { kty, ...(use && { use }), kid: keyId, ...others };
}

/**
 * Reads a bundle in SPIFFE's format. Keys of an unknown type or use are passed over one by one, as are X.509 keys without
 * certificate and JWT keys without key ID; unknown parameters are no matter. What is there must be right: anything broken
 * refuses the whole bundle, so that the last good one stays. Throws IDN0201, IDN0302, IDN0303, IDN0304.
 */
export function bundleFromJwks(trustDomain: TrustDomain, text: string): Bundle {
  if (text.length > maxCharacters) throw fault('IDN0304', { limit: `${maxCharacters} characters` });
  return bundleFromJson(trustDomain, parsedJson(text));
}

/** The same for JSON that was read strictly. Throws IDN0201, IDN0302, IDN0303, IDN0304. */
export function bundleFromJson(trustDomain: TrustDomain, json: Json): Bundle {
  const set = object(json, 'it is not an object');
  const keys = array(set.get('keys'), '`keys` is not a list').map((key) =>
    object(key, 'a key is not an object'),
  );
  if (keys.length > maxKeys) throw fault('IDN0304', { limit: `${maxKeys} keys` });
  const known = keys.filter((key) => key.get('kty') === 'EC' || key.get('kty') === 'RSA');
  const withUse = (use: string) => known.filter((key) => key.get('use') === use);
  return {
    trustDomain,
    x509Authorities: withUse('x509-svid').flatMap(x509Authority),
    jwtAuthorities: withUse('jwt-svid').flatMap(jwtAuthority),
    sequence: integer(set.get('spiffe_sequence'), 'spiffe_sequence', maxSequence),
    refreshHint: Number(integer(set.get('spiffe_refresh_hint'), 'spiffe_refresh_hint', 2n ** 31n - 1n)),
  };
}

function x509Authority(key: JsonObject): X509Authority[] {
  const x5c = key.get('x5c');
  if (x5c === undefined || x5c === null) return [];
  // X509-SVID §6.2: only the first counts.
  const [first] = array(x5c, '`x5c` is not a list');
  if (first === undefined) return [];
  const der = typeof first === 'string' ? Buffer.from(first, 'base64') : Buffer.alloc(0);
  if (der.length === 0 || der.toString('base64') !== first) throw broken('`x5c` is not base64');
  return [parseX509Authority(der)];
}

function jwtAuthority(key: JsonObject): JwtAuthority[] {
  const keyId = key.get('kid');
  if (keyId === undefined || keyId === '') return [];
  if (typeof keyId !== 'string') throw broken('`kid` is not a string');
  return [{ keyId, publicKey: publicKeyOf(key), expiresAt: 0, tainted: false }];
}

function publicKeyOf(key: JsonObject): Uint8Array {
  const jwk: JsonWebKey = {};
  for (const [name, member] of key) if (typeof member === 'string') jwk[name] = member;
  try {
    return createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'der', type: 'spki' });
  } catch (error) {
    throw fault('IDN0303', { problem: 'a key cannot be read' }, { cause: error });
  }
}

/** Throws IDN0303. */
export function parsedJson(text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error;
    throw fault('IDN0303', { problem: error.message }, { cause: error });
  }
}

function object(json: Json | undefined, problem: string): JsonObject {
  if (!(json instanceof Map)) throw broken(problem);
  return json;
}

function array(json: Json | undefined, problem: string): readonly Json[] {
  if (!Array.isArray(json)) throw broken(problem);
  return json;
}

/** A number that may be left out, which counts as 0. */
function integer(json: Json | undefined, name: string, max: bigint): bigint {
  if (json === undefined) return 0n;
  if (typeof json !== 'bigint' || json < 0n || json > max) {
    throw broken(`\`${name}\` is not a whole number from 0 to ${max}`);
  }
  return json;
}

const broken = (problem: string) => fault('IDN0303', { problem });
