import { X509Certificate } from 'node:crypto';
import { parseSpiffeId } from '../../spiffe/id.js';
import type { Service } from '../../transport/service.js';
import { guardedService } from '../guarded-service.js';
import type { ApiContext } from './context.js';
import { idMessage } from './messages.js';

/** `spire.api.server.debug.v1.Debug`: how long the server has been up, how much it has, and its own certificates. */
export function debugService(context: ApiContext): Service {
  const { authoriser, registry, federatedBundles, clock } = context;
  const started = clock.now();
  return guardedService('spire.api.server.debug.v1.Debug', authoriser, {
    GetInfo: {
      unary: async () => ({
        svid_chain: ownChain(context).map(certificateMessage),
        uptime: Math.floor((clock.now() - started) / 1000),
        agents_count: [...registry.agents()].length,
        entries_count: [...registry.entries()].length,
        federated_bundles_count: [...federatedBundles.all()].length,
      }),
    },
  });
}

/** The leaf first, down to the root. */
function ownChain({ identity, authorities }: ApiContext): X509Certificate[] {
  const chain = (identity.current()?.chain ?? []).map((der) => new X509Certificate(der));
  const roots = authorities.own().x509Authorities.map(({ der }) => new X509Certificate(der));
  const root = roots.find((one) => chain.at(-1)?.checkIssued(one));
  return root ? [...chain, root] : chain;
}

function certificateMessage(certificate: X509Certificate) {
  const uri = certificate.subjectAltName?.replace(/^URI:/, '') ?? '';
  return {
    id: idMessage(parseSpiffeId(uri)),
    expires_at: Math.floor(Date.parse(certificate.validTo) / 1000),
    // The last part first, as RFC 2253 writes names and SPIRE shows them.
    subject: certificate.subject.split('\n').reverse().join(','),
  };
}
