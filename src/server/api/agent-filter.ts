import { fault } from '../../base/faults/fault.js';
import type { MessageOut } from '../../wire/names.js';
import type { AgentRecord } from '../ports.js';
import { selectorMatcher } from './match-behaviour.js';

type Filter = NonNullable<MessageOut<'spire.api.server.agent.v1.ListAgentsRequest'>['filter']>;

/** What a filter lets through: everything that it does not speak of. Throws SRV0204, REG01xx. */
export function agentFilter(filter: Filter | undefined | null): (agent: AgentRecord) => boolean {
  const { by_attestation_type, by_selector_match, by_banned, by_can_reattest, by_expires_before } =
    filter ?? {};
  const before = by_expires_before ? timeOf(by_expires_before) : undefined;
  const matchesSelectors = by_selector_match && selectorMatcher(by_selector_match);
  return (agent) =>
    (!by_attestation_type || agent.attestationType === by_attestation_type) &&
    (!matchesSelectors || matchesSelectors(agent.selectors)) &&
    (!by_banned || agent.banned === (by_banned.value ?? false)) &&
    (!by_can_reattest || agent.canReattest === (by_can_reattest.value ?? false)) &&
    (before === undefined || agent.expiresAt < before);
}

/** SPIRE writes it as Go does: `2026-01-31 12:00:00 +0000 UTC`. ISO 8601 is understood too. */
function timeOf(text: string): number {
  const go = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? ([+-]\d\d)(\d\d)(?: \S+)?$/.exec(text);
  const time = Date.parse(go ? `${go[1]}T${go[2]}${go[3]}:${go[4]}` : text);
  if (Number.isNaN(time)) throw fault('SRV0204', { problem: `\`${text}\` is not a time` });
  return time;
}
