import assert from 'node:assert/strict';
import { bundleFromMessage } from '../../src/agent/server-messages.js';
import type { Bundle } from '../../src/spiffe/bundle.js';
import { bundleSha256 } from '../../src/spiffe/bundle-pem.js';
import { readCertificate } from '../../src/spiffe/certificate.js';
import { verifyX509Svid } from '../../src/spiffe/verify-x509-svid.js';
import type { X509Svid } from '../../src/spiffe/x509-svid.js';
import type { GrpcConnection } from '../../src/transport/grpc-client.js';
import { bundleApi } from './running-server.js';

/**
 * Looks at the trust bundle of a server from life to life, and fails unless it is one and the same trust domain: no authority
 * goes before it ends, the sequence never goes back and stands for one content, and what was issued verifies until it ends.
 */
export function createTrustCheck() {
  let last: Bundle | undefined;
  const seen = new Map<string, number>();
  return {
    rotations: () => seen.size - 1,
    async look(connection: GrpcConnection, svids: readonly X509Svid[]): Promise<void> {
      const bundle = bundleFromMessage(await connection.unary(bundleApi.GetBundle, {}));
      const now = Date.now();
      const there = new Set(bundle.x509Authorities.map(({ der }) => Buffer.from(der).toString('base64')));
      for (const [der, notAfter] of seen) {
        assert.ok(there.has(der) || notAfter < now, 'an authority is gone before its end');
      }
      for (const der of there) seen.set(der, readCertificate(Buffer.from(der, 'base64')).notAfter);
      if (last) {
        assert.ok(bundle.sequence >= last.sequence, 'the sequence of the bundle went back');
        if (bundle.sequence === last.sequence) assert.equal(bundleSha256(bundle), bundleSha256(last));
      }
      last = bundle;
      for (const { chain, notAfter } of svids) if (notAfter > now) verifyX509Svid(chain, bundle, now);
    },
  };
}
