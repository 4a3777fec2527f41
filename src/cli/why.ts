import { Command } from 'commander';
import { countDiagnostics, renderDiagnostics } from '../base/diagnostics/render.js';
import { mostSimilar } from '../base/diagnostics/similar.js';
import { fault } from '../base/faults/fault.js';
import { placeOf } from '../base/source.js';
import { checkPolicy } from '../policy/check-policy.js';
import { explain } from '../policy/explain.js';
import { canonicalPath } from '../policy/language/canonical-path.js';
import type { Policy } from '../policy/language/model.js';
import { parseWorkloadId, type SpiffeId } from '../spiffe/id.js';
import { adminSocketOption } from './admin.js';
import { type Cli, exitCodes } from './cli.js';
import { examples } from './examples.js';
import { instantMs } from './instant-option.js';
import { type OutputFormat, output, outputOption } from './output.js';
import { readPolicyFiles } from './policy-files.js';
import { several } from './several.js';
import { tellWhyIdentity, type WhyIdentityOptions } from './why-identity/tell.js';
import { whyLines } from './why-lines.js';

interface WhyOptions extends Partial<WhyIdentityOptions> {
  policy?: string;
  at?: number;
}

/** `plastron why CALLER SERVICE METHOD PATH`: allowed or denied, and by which rule. `plastron why ID`: issued or not, and why. */
export function why(cli: Cli): Command {
  const command: Command = new Command();
  return command
    .argument('<id>', 'who calls, or whose identity it is: a SPIFFE ID; for calls also a name in the policy')
    .argument('[service]', 'the name of the service that is called')
    .argument('[method]', 'as it is sent, e.g. GET')
    .argument('[path]', 'as it is sent, e.g. /v1/orders/7')
    .option('--policy <path>', 'of a call: the policy folder, or the one file of the policy')
    .option('--at <instant>', 'of a call: when, e.g. 2027-01-31T18:00:00Z (default: now)', instantMs)
    .option(adminSocketOption[0], `of an identity: ${adminSocketOption[1]}`)
    .option('--node <id>', 'of an identity: only on this node, as `plastron node list` shows it')
    .option(
      '--selector <type:value>',
      'of an identity: what the workload has; may be given several times',
      several,
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      `${examples(
        'plastron why web orders GET /v1/orders/7 --policy policy/   # may web call that?',
        'plastron why spiffe://shop.example/web                      # who gets this identity, and if nobody, why?',
        'plastron why spiffe://shop.example/web --selector unix:uid:1000',
      )}\n\nExit codes: 0 allowed or issued, 1 denied, not issued or the policy has errors, 2 the question cannot be understood.`,
    )
    .action(
      async (id: string, service?: string, method?: string, path?: string, options: WhyOptions = {}) => {
        const { adminSocket, policy, output: format = 'table' } = options;
        if (service === undefined) {
          if (adminSocket === undefined) command.error(missing(adminSocketOption[0]));
          return tellWhyIdentity(cli, id, { ...options, adminSocket, output: format });
        }
        if (method === undefined || path === undefined) {
          command.error(
            'error: a call has a service, a method and a path; for an identity give its ID alone',
          );
        }
        if (policy === undefined) command.error(missing('--policy <path>'));
        return tellWhyCall(
          cli,
          { caller: id, service, method, path },
          { policy, at: options.at ?? Date.now(), format },
        );
      },
    );
}

function missing(flags: string): string {
  return `error: required option '${flags}' not specified`;
}

interface Question {
  readonly caller: string;
  readonly service: string;
  readonly method: string;
  readonly path: string;
}

async function tellWhyCall(
  cli: Cli,
  { caller, service, method, path }: Question,
  { policy, at, format }: { policy: string; at: number; format: OutputFormat },
): Promise<void> {
  const { checked, diagnostics } = checkPolicy(await readPolicyFiles(cli, [policy]), at);
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
  const { verdict, decidedBy } = explanation;
  const document = {
    kind: 'CallAnswer',
    ...{ caller: call.caller, service, method, path: seen, allowed: verdict.allowed, rule: verdict.rule },
    place: decidedBy ? placeOf(decidedBy.rule.at) : null,
  };
  output(cli, format, document, () => whyLines(cli.voice, { call, service, explanation, canonical }));
  if (!verdict.allowed) cli.exitWith(exitCodes.negative);
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
