import { fromBase64Url } from '../base/base64url.js';
import { fault } from '../base/faults/fault.js';
import { type Json, type JsonObject, MalformedJson, parseJson } from '../base/json.js';
import { parseWorkloadId, type SpiffeId } from './id.js';
import { type JwtAlgorithm, jwtAlgorithms } from './jwt-algorithms.js';

/** What a JWT-SVID says of its bearer (JWT-SVID §3). Times in milliseconds since the Unix epoch. */
export interface JwtSvidClaims {
  readonly id: SpiffeId;
  /** Never empty. */
  readonly audience: readonly string[];
  readonly expiresAt: number;
  readonly notBefore: number | undefined;
  readonly issuedAt: number | undefined;
  /** Every claim as it is written. */
  readonly all: JsonObject;
}

/** A JWT-SVID that was read and **not verified**. */
export interface UnverifiedJwtSvid {
  readonly algorithm: JwtAlgorithm;
  readonly keyId: string | undefined;
  readonly claims: JwtSvidClaims;
  /** What the signature is over. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** No token is larger, neither one that is read nor one that is issued. */
export const maxJwtSvidBytes = 16 * 1024;

/**
 * Reads a JWT-SVID in JWS compact serialization, strictly (JWT-SVID §1 to §3, RFC 7515 §3.1): one way of writing it, a header
 * of `alg`, `kid` and `typ` alone, no member of an object twice. Throws IDN0401 to IDN0404.
 */
export function readJwtSvid(token: string): UnverifiedJwtSvid {
  if (token.length > maxJwtSvidBytes) throw malformed(`more than ${maxJwtSvidBytes} bytes`);
  const [header, payload, signature, ...more] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw malformed('not three parts with a dot between them');
  }
  // The header first: whose algorithm is not accepted is not looked into (JWT-SVID §2.1).
  const { algorithm, keyId } = headerOf(objectIn(header, 'header'));
  return {
    algorithm,
    keyId,
    claims: claimsOf(objectIn(payload, 'payload')),
    signed: Buffer.from(`${header}.${payload}`),
    signature: bytesIn(signature, 'signature'),
  };
}

function headerOf(header: JsonObject): Pick<UnverifiedJwtSvid, 'algorithm' | 'keyId'> {
  for (const name of header.keys()) {
    if (!['alg', 'kid', 'typ'].includes(name)) throw malformed(`a header with \`${name}\``);
  }
  const name = header.get('alg');
  const algorithm = typeof name === 'string' ? jwtAlgorithms.get(name) : undefined;
  if (!algorithm) throw fault('IDN0402', { algorithm: typeof name === 'string' ? name : '' });
  const type = header.get('typ');
  if (type !== undefined && type !== 'JWT' && type !== 'JOSE') {
    throw malformed('a header whose `typ` is neither `JWT` nor `JOSE`');
  }
  const keyId = header.get('kid');
  if (keyId === undefined) return { algorithm, keyId };
  if (typeof keyId !== 'string' || keyId === '') throw malformed('a header whose `kid` is no key ID');
  return { algorithm, keyId };
}

function claimsOf(all: JsonObject): JwtSvidClaims {
  const expiresAt = timeIn(all, 'exp');
  if (expiresAt === undefined) throw malformed('no end of its validity (`exp`)');
  return {
    id: subjectIn(all),
    audience: audienceIn(all),
    expiresAt,
    notBefore: timeIn(all, 'nbf'),
    issuedAt: timeIn(all, 'iat'),
    all,
  };
}

function subjectIn(claims: JsonObject): SpiffeId {
  const subject = claims.get('sub');
  if (typeof subject !== 'string') throw fault('IDN0403', { subject: '' });
  try {
    return parseWorkloadId(subject);
  } catch (cause) {
    throw fault('IDN0403', { subject }, { cause });
  }
}

/** JWT-SVID §3.2 allows one string as well as a list. */
function audienceIn(claims: JsonObject): string[] {
  const claim = claims.get('aud');
  const audience = Array.isArray(claim) ? claim : [claim];
  const named = audience.filter((each): each is string => typeof each === 'string' && each !== '');
  if (named.length === 0 || named.length < audience.length) throw fault('IDN0404', {});
  return named;
}

/** The end of the year 9999, in seconds: later is no time that anybody meant. */
const maxSeconds = 253_402_300_799;

function timeIn(claims: JsonObject, name: string): number | undefined {
  const claim = claims.get(name);
  if (claim === undefined) return undefined;
  const seconds = typeof claim === 'bigint' || typeof claim === 'number' ? Number(claim) : Number.NaN;
  if (!(seconds >= 0 && seconds <= maxSeconds)) throw malformed(`a \`${name}\` that is no time`);
  return seconds * 1000;
}

function objectIn(part: string, name: string): JsonObject {
  const json = jsonIn(bytesIn(part, name), name);
  if (!(json instanceof Map)) throw malformed(`a ${name} that is no object`);
  return json;
}

function jsonIn(bytes: Uint8Array, name: string): Json {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    if (cause instanceof MalformedJson || cause instanceof TypeError) {
      throw fault('IDN0401', { problem: `a ${name} that is not JSON in UTF-8` }, { cause });
    }
    throw cause;
  }
}

function bytesIn(part: string, name: string): Uint8Array {
  const bytes = fromBase64Url(part);
  if (!bytes) throw malformed(`a ${name} that is not base64url`);
  return bytes;
}

const malformed = (problem: string) => fault('IDN0401', { problem });
