import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** The certificates that the other side presented, DER, the leaf first; empty when there are none. **Not verified.** */
export function presentedChain(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  const seen = new Set<DetailedPeerCertificate>();
  // Node has nothing but an empty object for "none"; a self-signed certificate is its own issuer.
  let certificate: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw && !seen.has(certificate as DetailedPeerCertificate)) {
    seen.add(certificate as DetailedPeerCertificate);
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
