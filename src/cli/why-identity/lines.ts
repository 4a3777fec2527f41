import { visible } from '../../base/visible.js';
import { formatSelector } from '../../registration/selector.js';
import type { EntryAnswer } from '../../registration/why-identity.js';
import { duration, fromNow } from '../times.js';
import { type Cell, factLines, type Voice } from '../voice.js';
import type { IdentityFacts } from './facts.js';
import { entryProblems, identityProblems, type Problem } from './problems.js';

/** The answer for people: the verdict, the nearest entry with what holds and what does not, and the ways out. */
export function identityLines(voice: Voice, facts: IdentityFacts, nowMs: number): string[] {
  const problems = identityProblems(facts, nowMs);
  const issued = problems.length === 0;
  const verdict = voice.paint(issued ? 'good' : 'bad', issued ? 'ISSUED' : 'NOT ISSUED');
  const on = facts.nodeId === undefined ? '' : `  on ${visible(facts.nodeId)}`;
  const [nearest, ...others] = facts.answers;
  return [
    `${voice.mark(issued ? 'good' : 'bad')} ${verdict}  ${visible(facts.spiffeId)}${on}`,
    ...(nearest
      ? nearestLines(voice, nearest, facts, problems, nowMs)
      : problems.map(({ text }) => `  ${visible(text)}`)),
    ...others
      .slice(0, 5)
      .map((other) => `  also: entry ${visible(other.entry.id)}: ${otherText(other, facts, nowMs)}`),
    ...(others.length > 5 ? [`  and ${others.length - 5} more entries`] : []),
    ...problems.map(({ help }) => `  to get it: ${visible(help)}`),
  ];
}

function nearestLines(
  voice: Voice,
  answer: EntryAnswer,
  facts: IdentityFacts,
  problems: readonly Problem[],
  nowMs: number,
): string[] {
  const good: Record<Problem['about'], string> = {
    entry: answer.entry.id,
    parent: parentText(answer),
    node: nodeText(answer, facts, nowMs),
    selectors: selectorsText(answer, facts),
    server: `serving; its authority ends ${fromNow(facts.server.authorityEnds / 1000, nowMs)}`,
  };
  const rows = Object.entries(good).flatMap(([about, text]) => {
    const wrong = problems.filter((problem) => problem.about === about);
    const name = about === 'entry' ? `${answer.entry.id}: ` : '';
    if (wrong.length > 0) return wrong.map((problem) => row(voice, about, 'bad', name + problem.text));
    if (text === '') return [];
    return [row(voice, about, about === 'selectors' && !facts.selectors ? undefined : 'good', text)];
  });
  return factLines(rows).map((line) => `  ${line}`);
}

/** What nobody asked about has no mark. */
function row(voice: Voice, about: string, mark: 'good' | 'bad' | undefined, text: string): [string, Cell] {
  const shown = visible(text);
  return [about, { text: `  ${text}`, painted: `${mark ? voice.mark(mark) : ' '} ${shown}` }];
}

/** Nothing where no node is there to have it. */
function parentText({ entry, nodes }: EntryAnswer): string {
  const [nearest] = nodes;
  if (!nearest) return '';
  const { alias } = nearest;
  return alias && alias.spiffeId !== entry.parentId
    ? `${entry.parentId}, below the alias ${alias.spiffeId}`
    : entry.parentId;
}

function nodeText({ nodes }: EntryAnswer, { agents }: IdentityFacts, nowMs: number): string {
  const reached = nodes.filter((node) => node.reached && node.state === 'active');
  const [first] = reached;
  if (!first) return '';
  const agent = agents.get(first.node.id);
  const version = agent?.agent_version ? `agent ${agent.agent_version}` : 'agent of unknown version';
  const ends = duration(Math.max(0, Math.round(first.node.svidExpiresAt - nowMs / 1000)));
  const more = reached.length > 1 ? `, and ${reached.length - 1} more` : '';
  return `${first.node.id} (${version}, its SVID lasts ${ends} more)${more}`;
}

function selectorsText({ entry }: EntryAnswer, { selectors }: IdentityFacts): string {
  const wanted = entry.selectors.map(formatSelector).join(' ');
  return selectors ? wanted : `the workload must have ${wanted}`;
}

function otherText(answer: EntryAnswer, facts: IdentityFacts, nowMs: number): string {
  const [first] = entryProblems(answer, facts, nowMs);
  return first ? visible(first.text) : 'gives it too';
}
