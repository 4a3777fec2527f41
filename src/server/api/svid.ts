import { fault } from '../../base/faults/fault.js';
import type { SvidOrder } from '../../ca/issuing/order.js';
import type { Entry } from '../../registration/entry.js';
import type { SpiffeId } from '../../spiffe/id.js';
import type { Service } from '../../transport/service.js';
import type { MessageOut } from '../../wire/names.js';
import { agentDenied } from '../agent-denied.js';
import type { Caller } from '../authorise.js';
import { guardedService } from '../guarded-service.js';
import { type ApiContext, agentOf, loggedAgent } from './context.js';
import { statusMessage } from './messages.js';
import { checkBatch } from './paging.js';
import { encodeSvidResults, type SvidResult } from './svid-results.js';

/** `spire.api.server.svid.v1.SVID`: X.509-SVIDs for the workloads of an agent. */
export function svidService(context: ApiContext): Service {
  return guardedService('spire.api.server.svid.v1.SVID', context.authoriser, {
    BatchNewX509SVID: {
      unary: async ({ params }, caller) =>
        encodeSvidResults(await issueAll(context, checkBatch(params), caller)),
    },
  });
}

type Param = MessageOut<'spire.api.server.svid.v1.NewX509SVIDParams'>;

/** One result for each that was asked for, in order: an SVID or its own status. */
async function issueAll(context: ApiContext, batch: readonly Param[], caller: Caller): Promise<SvidResult[]> {
  const { authorities, registry, log } = context;
  const agent = agentOf(caller);
  const asked = batch.map(({ entry_id = '', csr }) => {
    const entry = registry.authorisedEntry(agent.id, entry_id);
    const refused = refusalOf(entry, entry_id, csr);
    return entry && csr && !refused ? { entry, order: orderOf(context, entry, csr) } : { refused };
  });
  const orders = asked.flatMap(({ order }) => order ?? []);
  const outcomes = (await authorities.issueBatch(orders)).values();
  refuseIfGone(context, agent.id);
  const name = loggedAgent(agent.id);
  return asked.map(({ entry, refused }) => {
    const outcome = entry ? outcomes.next().value : refused;
    if (!outcome || outcome instanceof Error) return { status: statusMessage(outcome, log) };
    log.debug({ agent: name, entry: entry?.id, serial: outcome.serial }, 'an SVID was issued');
    return { svid: outcome, hint: entry?.hint ?? '' };
  });
}

/** An agent that was shut out while its SVIDs were signed does not get them. */
function refuseIfGone({ registry }: ApiContext, id: SpiffeId): void {
  const agent = registry.agent(id);
  if (!agent) throw agentDenied('SRV0103', 'AGENT_NOT_ATTESTED');
  if (agent.banned) throw agentDenied('SRV0105', 'AGENT_BANNED');
}

/** An entry of others is answered as one that is not there (S5). */
function refusalOf(
  entry: Entry | undefined,
  id: string,
  csr: Uint8Array | null | undefined,
): Error | undefined {
  if (!entry) return fault('SRV0305', { id });
  return csr && csr.length > 0 ? undefined : fault('SRV0201', { field: 'csr' });
}

/** Everything in the certificate comes from the entry; only the key comes from the CSR (S4). */
function orderOf({ clock, x509SvidTtl }: ApiContext, entry: Entry, csr: Uint8Array): SvidOrder {
  const ttl = entry.x509SvidTtl || x509SvidTtl;
  // An SVID does not outlive its entry (S9).
  const left = entry.expiresAt === 0 ? ttl : entry.expiresAt - clock.now() / 1000;
  return { id: entry.spiffeId, csr, dnsNames: entry.dnsNames, ttlSeconds: Math.min(ttl, left) };
}
