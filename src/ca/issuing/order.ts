import type { SpiffeId } from '../../spiffe/id.js';
import type { SigningAuthority } from '../authority.js';
import { readCsr } from '../csr.js';
import { type IssuedSvid, issueX509Svid } from '../issue-x509-svid.js';

/** An X.509-SVID that somebody asks for with a CSR. Only the key is taken from the CSR; the rest is ours to say (S4). */
export interface SvidOrder {
  readonly csr: Uint8Array;
  readonly id: SpiffeId;
  readonly dnsNames: readonly string[];
  readonly ttlSeconds: number;
}

/** Who signs, and the names of the keys (`publicKeyName`) that no SVID may have. Replaced when anything changes. */
export interface Signer {
  readonly authority: SigningAuthority;
  readonly reservedKeys: ReadonlySet<string>;
}

/** Rejects with what `readCsr` and `issueX509Svid` throw. `now` in milliseconds since the Unix epoch. */
export async function fillOrder(signer: Signer, order: SvidOrder, now: number): Promise<IssuedSvid> {
  const { csr, id, dnsNames, ttlSeconds } = order;
  const { key } = await readCsr(csr);
  const request = { id, publicKey: key, dnsNames, ttlSeconds, now };
  return await issueX509Svid(signer.authority, request, signer.reservedKeys);
}
