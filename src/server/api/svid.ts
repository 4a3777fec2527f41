import { setImmediate } from 'node:timers/promises';
import { fault } from '../../base/faults/fault.js';
import { readCsr } from '../../ca/csr.js';
import type { Entry } from '../../registration/entry.js';
import type { Service } from '../../transport/service.js';
import { guardedService } from '../guarded-service.js';
import { type ApiContext, agentOf, loggedAgent } from './context.js';
import { okStatus, statusMessage, svidMessage } from './messages.js';
import { checkBatch } from './paging.js';

/** `spire.api.server.svid.v1.SVID`: X.509-SVIDs for the workloads of an agent. */
export function svidService(context: ApiContext): Service {
  const { authoriser, registry, log } = context;
  return guardedService('spire.api.server.svid.v1.SVID', authoriser, {
    BatchNewX509SVID: {
      unary: async ({ params }, caller) => {
        const agent = agentOf(caller);
        const batch = checkBatch(params);
        const results = [];
        for (const [index, { entry_id = '', csr }] of batch.entries()) {
          if (index % turn === turn - 1) await setImmediate();
          try {
            const entry = registry.authorisedEntry(agent.id, entry_id);
            const svid = await issue(context, entry, entry_id, csr);
            results.push({ status: okStatus, svid: svidMessage(svid, entry?.hint) });
            log.debug(
              { agent: loggedAgent(agent.id), entry: entry_id, serial: svid.serial },
              'an SVID was issued',
            );
          } catch (error) {
            results.push({ status: statusMessage(error, log) });
          }
        }
        return { results };
      },
    },
  });
}

/** How many SVIDs are signed before others get their turn. */
const turn = 16;

/** Everything in the certificate comes from the entry; only the key comes from the CSR (S4, S5). */
async function issue(
  { authorities, clock, x509SvidTtl }: ApiContext,
  entry: Entry | undefined,
  id: string,
  csr: Uint8Array | undefined,
) {
  if (!entry) throw fault('SRV0305', { id });
  if (!csr || csr.length === 0) throw fault('SRV0201', { field: 'csr' });
  const { publicKey } = readCsr(csr);
  const ttl = entry.x509SvidTtl || x509SvidTtl;
  // An SVID does not outlive its entry (S9).
  const left = entry.expiresAt === 0 ? ttl : entry.expiresAt - clock.now() / 1000;
  return await authorities.issue({
    id: entry.spiffeId,
    publicKey,
    dnsNames: entry.dnsNames,
    ttlSeconds: Math.min(ttl, left),
  });
}
