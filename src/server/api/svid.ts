import { fault } from '../../base/faults/fault.js';
import type { SvidOrder } from '../../ca/issuing/order.js';
import type { Entry } from '../../registration/entry.js';
import type { Service } from '../../transport/service.js';
import type { MessageOut } from '../../wire/names.js';
import { admittedAgent, type Caller } from '../authorise.js';
import { guardedService } from '../guarded-service.js';
import { type ApiContext, agentOf, loggedAgent } from './context.js';
import { lifetimeWithin } from './issuing.js';
import { newJwtSvid } from './jwt-svid.js';
import { statusMessage } from './messages.js';
import { mintJwtSvid, mintX509Svid } from './mint.js';
import { checkBatch } from './paging.js';
import { encodeSvidResults, type SvidResult } from './svid-results.js';

/** `spire.api.server.svid.v1.SVID`: SVIDs for the workloads of an agent, and for whomever an operator wants. */
export function svidService(context: ApiContext): Service {
  return guardedService('spire.api.server.svid.v1.SVID', context.authoriser, {
    BatchNewX509SVID: {
      unary: async ({ params }, caller) =>
        await encodeSvidResults(await issueAll(context, checkBatch(params), caller)),
    },
    NewJWTSVID: { unary: newJwtSvid(context) },
    MintX509SVID: { unary: mintX509Svid(context) },
    MintJWTSVID: { unary: mintJwtSvid(context) },
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
  // Who was shut out while they were signed does not get them.
  admittedAgent(registry, agent.id);
  const name = loggedAgent(agent.id);
  return asked.map(({ entry, refused }) => {
    const outcome = entry ? outcomes.next().value : refused;
    if (!outcome || outcome instanceof Error) return { status: statusMessage(outcome, log) };
    log.debug({ agent: name, entry: entry?.id, serial: outcome.serial }, 'an SVID was issued');
    return { svid: outcome, hint: entry?.hint ?? '' };
  });
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
  const ttlSeconds = lifetimeWithin(entry, entry.x509SvidTtl || x509SvidTtl, clock);
  return { id: entry.spiffeId, csr, dnsNames: entry.dnsNames, ttlSeconds };
}
