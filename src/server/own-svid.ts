import { generateKeyPairSync } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { createListeners } from '../base/listeners.js';
import type { SpiffeId } from '../spiffe/id.js';
import type { SvidSource } from '../spiffe/source.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { Authorities } from './authorities.js';

/** The server's own SVID. */
export interface OwnSvid extends SvidSource {
  /** Replaces it, with a new key, once half of its life is over. Rejects as issuing does, and then the old one stays. */
  keepCurrent(): Promise<void>;
}

export async function openOwnSvid(
  id: SpiffeId,
  ttlSeconds: number,
  authorities: Authorities,
  clock: Clock,
): Promise<OwnSvid> {
  const { onChange, tell } = createListeners();
  const issue = async (): Promise<X509Svid> => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' });
    const { chain, notBefore, notAfter } = await authorities.issueOwn({
      id,
      publicKey,
      dnsNames: [],
      ttlSeconds,
    });
    const privateKey = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
    return { id, chain, privateKey, notBefore, notAfter };
  };
  let svid = await issue();
  return {
    current: () => svid,
    onChange,
    keepCurrent: async () => {
      const now = clock.now();
      // Outside of its life there is nothing to wait for, in whichever direction the clock went.
      if (now >= svid.notBefore && now < (svid.notBefore + svid.notAfter) / 2) return;
      svid = await issue();
      tell();
    },
  };
}
