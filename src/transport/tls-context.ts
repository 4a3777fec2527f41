import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { toPem } from '../base/pem.js';
import type { X509Svid } from '../spiffe/x509-svid.js';

/**
 * What both ends of our TLS have in common: TLS 1.2 or later, no session tickets (S16: a resumed session would skip the
 * certificates), no certificate authorities, since OpenSSL's verification is not SPIFFE's and we do our own.
 */
export function tlsContextOptions(svid: X509Svid | undefined): SecureContextOptions {
  return {
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET,
    ca: [],
    ...(svid && {
      cert: svid.chain.map((der) => toPem('CERTIFICATE', der)).join(''),
      key: toPem('PRIVATE KEY', svid.privateKey),
    }),
  };
}
