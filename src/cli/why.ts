import { Command, InvalidArgumentError } from 'commander';
import { countDiagnostics, renderDiagnostics } from '../base/diagnostics/render.js';
import { mostSimilar } from '../base/diagnostics/similar.js';
import { fault } from '../base/faults/fault.js';
import { parseInstant } from '../base/instant.js';
import { checkPolicy } from '../policy/check-policy.js';
import { explain } from '../policy/explain.js';
import { canonicalPath } from '../policy/language/canonical-path.js';
import type { Policy } from '../policy/language/model.js';
import { parseWorkloadId, type SpiffeId } from '../spiffe/id.js';
import { type Cli, exitCodes } from './cli.js';
import { readPolicyFiles } from './policy-files.js';
import { whyLines } from './why-lines.js';

interface WhyOptions {
  policy: string;
  at?: number;
}

/** `plastron why CALLER SERVICE METHOD PATH`: allowed or denied, by which rule, and what comes nearest. */
export function why(cli: Cli): Command {
  return new Command()
    .argument('<caller>', 'a SPIFFE ID, or the name of one caller or service in the policy')
    .argument('<service>', 'the name of the service that is called')
    .argument('<method>', 'as it is sent, e.g. GET')
    .argument('<path>', 'as it is sent, e.g. /v1/orders/7')
    .requiredOption('--policy <path>', 'the policy folder, or the one file of the policy')
    .option('--at <instant>', 'when the call is made, e.g. 2027-01-31T18:00:00Z (default: now)', readInstant)
    .addHelpText(
      'after',
      '\nExit codes: 0 allowed, 1 denied or the policy has errors, 2 the question cannot be understood.',
    )
    .action(async (caller: string, service: string, method: string, path: string, options: WhyOptions) => {
      const at = options.at ?? Date.now();
      const { checked, diagnostics } = checkPolicy(await readPolicyFiles(cli, [options.policy]), at);
      if (!checked) {
        cli.voice.say(renderDiagnostics(diagnostics, (tone, text) => cli.voice.paint(tone, text, 'stderr')));
        cli.voice.say(`\nthe policy has ${countDiagnostics(diagnostics)}, so it says nothing`);
        return cli.exitWith(exitCodes.negative);
      }
      const diagram = checked.diagrams.get(service);
      if (!diagram) throw fault('CLI0502', { service, similar: similarTo(service, checked.diagrams.keys()) });
      const canonical = canonicalPath(path);
      const seen = 'reason' in canonical ? path : canonical.path;
      const call = { caller: readCaller(checked.policy, caller), method, path: seen, at };
      const explanation = explain(diagram, call);
      for (const line of whyLines(cli.voice, { call, service, explanation, canonical }))
        cli.voice.print(line);
      if (!explanation.verdict.allowed) cli.exitWith(exitCodes.negative);
    });
}

/** A SPIFFE ID as it is, or a name that stands for exactly one. */
function readCaller(policy: Policy, text: string): SpiffeId {
  if (text.startsWith('spiffe://')) return parseWorkloadId(text);
  const patterns = policy.callers.get(text);
  if (!patterns) throw fault('CLI0501', { caller: text, similar: similarTo(text, policy.callers.keys()) });
  const [only, another] = patterns;
  if (only?.exact === undefined || another) throw fault('CLI0503', { caller: text });
  return only.exact;
}

function similarTo(text: string, names: Iterable<string>): string {
  const known = [...names];
  const similar = mostSimilar(text, known);
  return similar === undefined ? `it has ${known.join(', ')}` : `did you mean \`${similar}\`?`;
}

function readInstant(text: string): number {
  const instant = parseInstant(text);
  if (!instant) throw new InvalidArgumentError('Write a date, or an instant such as 2027-01-31T18:00:00Z.');
  return instant.ms;
}
