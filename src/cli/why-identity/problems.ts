import { formatSelector } from '../../registration/selector.js';
import type { EntryAnswer, NodeAnswer } from '../../registration/why-identity.js';
import { pathOf } from '../../spiffe/id.js';
import { fromNow } from '../times.js';
import type { IdentityFacts } from './facts.js';

/** One thing that is in the way, and the way out. */
export interface Problem {
  readonly about: 'server' | 'entry' | 'parent' | 'node' | 'selectors';
  readonly text: string;
  readonly help: string;
}

/** What is in the way of the identity, by the entry that comes nearest; nothing when it is issued. */
export function identityProblems(facts: IdentityFacts, nowMs: number): Problem[] {
  const [nearest] = facts.answers;
  return [
    ...serverProblems(facts, nowMs),
    ...(nearest ? entryProblems(nearest, facts, nowMs) : [noEntry(facts)]),
  ];
}

function serverProblems({ server }: IdentityFacts, nowMs: number): Problem[] {
  if (server.authorityEnds <= nowMs) {
    const text = 'its X.509 authority has ended, so it signs nothing';
    return [
      { about: 'server', text, help: "see the server's log: it makes a new authority in time by itself" },
    ];
  }
  if (server.serving) return [];
  const text = 'it is not serving';
  return [{ about: 'server', text, help: 'see `plastron server health` and the log of the server' }];
}

function noEntry({ spiffeId, similar }: IdentityFacts): Problem {
  if (pathOf(spiffeId).startsWith('/spire/')) {
    const text = 'this is the ID of a server or an agent, which no entry gives';
    return { about: 'entry', text, help: 'for agents, see `plastron node list`' };
  }
  const create = `plastron entry create --spiffe-id ${spiffeId} --parent-id NODE --selector TYPE:VALUE`;
  const help = similar === undefined ? create : `did you mean ${similar}? Or else: ${create}`;
  return { about: 'entry', text: 'no entry gives this identity', help };
}

/** What is in the way of an identity by this entry; nothing when it gives it. */
export function entryProblems(answer: EntryAnswer, facts: IdentityFacts, nowMs: number): Problem[] {
  const { entry, isAlias, expired, lacking } = answer;
  if (isAlias) {
    const text = 'it is an alias of nodes, for entries to have as their parent; no workload gets it';
    return [{ about: 'entry', text, help: 'create an entry of another identity under it' }];
  }
  const problems: Problem[] = [];
  if (expired) {
    const text = `it ended ${fromNow(entry.expiresAt, nowMs)}`;
    problems.push({ about: 'entry', text, help: `plastron entry update ${entry.id} --no-expires-at` });
  }
  problems.push(...nodeProblems(answer, facts, nowMs));
  if (lacking.length > 0) {
    const has = facts.selectors?.map(formatSelector).join(' ');
    const text = `the workload lacks ${lacking.map(formatSelector).join(' ')} (it has ${has})`;
    const help = `run the workload so that it has them, or: plastron entry update ${entry.id} --selector TYPE:VALUE`;
    problems.push({ about: 'selectors', text, help });
  }
  return problems;
}

function nodeProblems(answer: EntryAnswer, { nodeId }: IdentityFacts, nowMs: number): Problem[] {
  const { entry, nodes } = answer;
  const [nearest] = nodes;
  const token = `plastron node token --spiffe-id ${entry.parentId}`;
  if (!nearest) {
    const text = nodeId === undefined ? 'no node has attested' : `${nodeId} has not attested`;
    return [{ about: 'node', text, help: `start its agent; a join token for it: ${token}` }];
  }
  if (!nearest.reached) return [unreached(answer, nearest, token)];
  return stateProblems(nearest, nowMs);
}

function unreached({ entry, above }: EntryAnswer, { node, lacking }: NodeAnswer, token: string): Problem {
  if (lacking.length > 0) {
    const text = `${node.id} lacks ${lacking.map(formatSelector).join(' ')} for the alias ${entry.parentId}`;
    return {
      about: 'parent',
      text,
      help: "change the alias entry's selectors, or attest the node so that it has them",
    };
  }
  if (above.agents.length > 0) {
    const text = `it stands under ${above.agents.join(' ')}, which has not attested or is another node`;
    return {
      about: 'parent',
      text,
      help: `plastron entry update ${entry.id} --parent-id NODE, as \`plastron node list\` shows it`,
    };
  }
  const text = `no node has the alias ${entry.parentId}, under which it stands`;
  return { about: 'parent', text, help: `let the node in with a token for it: ${token}` };
}

function stateProblems({ node, state }: NodeAnswer, nowMs: number): Problem[] {
  if (state === 'active') return [];
  if (state === 'banned') {
    const help = `if that was a mistake: plastron node evict ${node.id}, and let it attest again`;
    return [{ about: 'node', text: `${node.id} is banned`, help }];
  }
  const text = `${node.id} has no valid SVID: it ended ${fromNow(node.svidExpiresAt, nowMs)}`;
  return [{ about: 'node', text, help: 'start its agent again; where it used a join token, with a new one' }];
}
