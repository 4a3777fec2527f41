import { parseSelector } from '../../registration/selector.js';
import { parseSpiffeId } from '../../spiffe/id.js';
import { type AdminOptions, withServer } from '../admin.js';
import { type Cli, exitCodes } from '../cli.js';
import { type OutputOptions, output } from '../output.js';
import { during } from '../progress.js';
import { askServer, type IdentityFacts } from './facts.js';
import { identityLines } from './lines.js';
import { identityProblems, type Problem } from './problems.js';

export interface WhyIdentityOptions extends AdminOptions, OutputOptions {
  node?: string;
  selector?: string[];
}

/** `plastron why ID`: whether an identity is issued, and if not what is in the way, as the server knows it. */
export async function tellWhyIdentity(cli: Cli, id: string, options: WhyIdentityOptions): Promise<void> {
  const spiffeId = parseSpiffeId(id);
  const nodeId = options.node === undefined ? undefined : parseSpiffeId(options.node);
  const selectors = options.selector?.map(parseSelector);
  const facts = await withServer(options, (server) =>
    during('asking the server', cli, (tell) => askServer(server, { spiffeId, nodeId, selectors }, tell)),
  );
  const now = Date.now();
  const problems = identityProblems(facts, now);
  const issued = problems.length === 0;
  output(cli, options.output, documentOf(facts, problems), () => identityLines(cli.voice, facts, now));
  if (!issued) cli.exitWith(exitCodes.negative);
}

function documentOf({ spiffeId, nodeId, answers, server }: IdentityFacts, problems: readonly Problem[]) {
  return {
    kind: 'IdentityAnswer',
    spiffeId,
    node: nodeId ?? null,
    issued: problems.length === 0,
    problems: problems.map(({ about, text, help }) => ({ about, text, help })),
    entries: answers.map(({ entry, distance }) => ({ id: entry.id, issues: distance === 0 })),
    server: { serving: server.serving },
  };
}
