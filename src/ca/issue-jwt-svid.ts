import { randomUUID } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import { parseWorkloadId, type SpiffeId, type TrustDomain, trustDomainOf } from '../spiffe/id.js';
import { maxJwtSvidBytes } from '../spiffe/jwt-svid.js';
import { jwtToBeSigned, signedJwt } from '../spiffe/jwt-svid-writer.js';
import { noAuthorityAt } from './authority.js';
import type { JwtSigner } from './jwt-signer.js';
import type { Signing } from './rotation.js';
import { signWith } from './signing-key.js';

export interface JwtSvidRequest {
  id: SpiffeId;
  /** At least one, none empty; all of them are put into the token. */
  audience: readonly string[];
  /** Shortened where the authority ends earlier. */
  ttlSeconds: number;
  /** Whether the token gets an ID of its own (`jti`), by which whoever receives it can tell that it was shown before. */
  tokenId: boolean;
  /** Milliseconds since the Unix epoch. */
  now: number;
}

export interface IssuedJwtSvid {
  readonly id: SpiffeId;
  /** In JWS compact serialization. **Secret**: whoever has it is `id` to its audience. */
  readonly token: string;
  /** Milliseconds since the Unix epoch, whole seconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/**
 * Issues a JWT-SVID (JWT-SVID §2, §3): ES256, with `sub`, `aud`, `exp` and `iat`, and `jti` if wanted.
 * Throws IDN0109 and CAS0101, CAS0103, CAS0104, CAS0106, CAS0109, CAS0110.
 */
export async function issueJwtSvid(
  trustDomain: TrustDomain,
  signer: Signing<JwtSigner>,
  request: JwtSvidRequest,
): Promise<IssuedJwtSvid> {
  const id = parseWorkloadId(request.id);
  if (trustDomainOf(id) !== trustDomain) throw fault('CAS0101', { id, trustDomain });
  const { audience, tokenId } = request;
  if (audience.length === 0 || audience.includes('')) throw fault('CAS0109', {});
  const { iat, exp } = windowOf(signer, request);
  const claims = { aud: audience, exp, iat, ...(tokenId ? { jti: randomUUID() } : {}), sub: id };
  const toBeSigned = jwtToBeSigned(signer.keyId, claims);
  // Nobody would read it, ourselves included.
  if (toBeSigned.length + signatureLength > maxJwtSvidBytes) {
    throw fault('CAS0110', { limit: maxJwtSvidBytes });
  }
  const token = signedJwt(toBeSigned, await signWith(signer.key, Buffer.from(toBeSigned)));
  return { id, token, issuedAt: iat * 1000, expiresAt: exp * 1000 };
}

/** The dot, and 64 bytes in base64url. */
const signatureLength = 87;

/** In seconds since the Unix epoch; the end within the authority's own life. */
function windowOf(signer: JwtSigner, { now, ttlSeconds }: JwtSvidRequest): { iat: number; exp: number } {
  if (!(ttlSeconds >= 1)) throw fault('CAS0103', { ttl: ttlSeconds });
  const iat = Math.floor(now / 1000);
  const exp = Math.min(Math.floor(now / 1000 + ttlSeconds), signer.notAfter / 1000);
  if (now < signer.notBefore || exp <= iat) throw noAuthorityAt(now);
  return { iat, exp };
}
