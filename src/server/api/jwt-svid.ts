import { fault } from '../../base/faults/fault.js';
import type { IssuedJwtSvid } from '../../ca/issue-jwt-svid.js';
import type { MessageOut } from '../../wire/names.js';
import { admittedAgent, type Caller } from '../authorise.js';
import { type ApiContext, agentOf, loggedAgent } from './context.js';
import { lifetimeWithin } from './issuing.js';
import { jwtSvidMessage } from './messages.js';

type Request = MessageOut<'spire.api.server.svid.v1.NewJWTSVIDRequest'>;

/** `NewJWTSVID`: a JWT-SVID for a workload of an agent. Everything but the audience comes from the entry (S4, S5, S9). */
export function newJwtSvid(context: ApiContext) {
  const { authorities, clock, log, registry, jwtSvidTtl } = context;
  return async ({ entry_id = '', audience = [] }: Request, caller: Caller) => {
    const agent = agentOf(caller);
    const entry = registry.authorisedEntry(agent.id, entry_id);
    // An entry of others is answered as one that is not there.
    if (!entry) throw fault('SRV0305', { id: entry_id });
    const svid = await authorities.issueJwt({
      id: entry.spiffeId,
      audience,
      ttlSeconds: lifetimeWithin(entry, entry.jwtSvidTtl || jwtSvidTtl, clock),
      tokenId: entry.jwtSvidIncludeJti,
    });
    // Who was shut out while it was signed does not get it.
    admittedAgent(registry, agent.id);
    log.debug({ agent: loggedAgent(agent.id), entry: entry.id }, 'a JWT-SVID was issued');
    warnOfAudiences(context, svid, audience);
    return { svid: jwtSvidMessage(svid, entry.hint) };
  };
}

/** JWT-SVID §3.2, §7.2: with several audiences, each of them can show the token to the others. */
export function warnOfAudiences(
  { log }: ApiContext,
  { id }: IssuedJwtSvid,
  audience: readonly string[],
): void {
  if (audience.length < 2) return;
  log.warn({ id, audiences: audience.length }, 'a JWT-SVID is good for several audiences at once');
}
