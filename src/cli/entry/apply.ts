import { Command } from 'commander';
import { fault } from '../../base/faults/fault.js';
import { placeOf } from '../../base/source.js';
import { visible } from '../../base/visible.js';
import { type EntryPlan, planEntries } from '../../registration/plan.js';
import { parseTrustDomain } from '../../spiffe/id.js';
import type { GrpcConnection } from '../../transport/grpc-client.js';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import { bundleApi } from '../bundle/message.js';
import { type Cli, exitCodes } from '../cli.js';
import { confirmed, yesOption } from '../confirm.js';
import { examples } from '../examples.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { during } from '../progress.js';
import { errorOf, isRefused, type Result, tellRefusal } from '../results.js';
import { several } from '../several.js';
import { carryOut } from './carry-out.js';
import { entryFrom, listEntries } from './message.js';
import { type Step, stepLines, stepsOf } from './plan-lines.js';
import { type ReadEntries, readEntries } from './read-entries.js';

interface Options extends AdminOptions, OutputOptions {
  file: string[];
  prune?: true;
  dryRun?: true;
  yes?: true;
}

/** `plastron entry apply -f FILE`: makes the server's entries say what the files say; `+` created, `~` updated, `-` deleted. */
export function entryApply(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .requiredOption(
      '-f, --file <path>',
      'entries as YAML, or a folder with such files; may be given several times',
      several,
    )
    .option('--prune', 'also delete entries that files of the same owner made and no file has any more')
    .option('--dry-run', 'only say what would be done')
    .addOption(yesOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `${examples(
        'plastron entry apply -f entries.yaml --dry-run',
        'plastron entry apply -f entries.yaml',
        'plastron entry apply -f policy/ --prune',
      )}

On stdout: + created, ~ updated and what changes, - deleted; nothing when nothing differs.
Exit codes: 0 everything is as the files say, 1 an entry was refused or a file has mistakes,
            1 with --dry-run: something would be done, 3 --prune would delete everything.`,
    )
    .action((options: Options) => withServer(options, (server) => apply(cli, server, options)));
}

async function apply(cli: Cli, server: GrpcConnection, options: Options): Promise<void> {
  const { trust_domain = '' } = await server.unary(bundleApi.GetBundle, { output_mask: {} });
  const trustDomain = parseTrustDomain(trust_domain);
  const files = await readEntries(cli, options.file, trustDomain);
  if (!files) return;
  const existing = await during('looking at the entries', cli, (tell) =>
    listEntries(server, {}, (count) => tell(`${count}`)),
  );
  const plan = planEntries(
    files.entries.map(({ content }) => content),
    files.prefixes,
    existing.map((message) => entryFrom(message, trustDomain)),
  );
  if (options.dryRun) return tellPlan(cli, plan, options);
  if (options.prune && !(await mayPrune(cli, files, plan, options))) return;
  await doAndTell(cli, server, { plan, files, options });
}

/** What would be done; exit code 1 when that is anything. */
function tellPlan(cli: Cli, plan: EntryPlan, { output: format, prune }: Options): void {
  const steps = stepsOf(plan, prune === true);
  const items = steps.map((step) => ({ ...step, done: false, error: null }));
  const document = { kind: 'EntryApply', dryRun: true, items, unchanged: plan.unchanged.length };
  output(cli, format, document, () =>
    steps.filter(({ action }) => action !== 'keep').flatMap((step) => stepLines(cli.voice, step)),
  );
  tellRest(cli, plan, steps);
  for (const { id } of steps.filter(({ action }) => action === 'refuse')) tellConflict(cli, id);
  if (steps.some(({ action }) => action !== 'keep')) cli.exitWith(exitCodes.negative);
}

/** An empty file is more likely a mistake than a wish to delete everything. */
async function mayPrune(cli: Cli, files: ReadEntries, plan: EntryPlan, { yes }: Options): Promise<boolean> {
  const count = plan.surplus.length;
  if (count === 0) return true;
  if (files.entries.length === 0 && !yes) {
    cli.voice.say(`the files have no entry at all, so --prune would delete all ${count} of their owner`);
    cli.voice.say('  = help: give --yes if that is meant');
    cli.exitWith(exitCodes.guardTripped);
    return false;
  }
  if (cli.ask && !yes) {
    for (const { id, spiffeId } of plan.surplus.slice(0, maxNamed))
      cli.voice.say(`- ${visible(`${spiffeId} (${id})`)}`);
    if (count > maxNamed) cli.voice.say(`and ${count - maxNamed} more`);
  }
  return confirmed(cli, yes, `delete ${count === 1 ? 'this entry' : `these ${count} entries`}?`);
}

interface Work {
  readonly plan: EntryPlan;
  readonly files: ReadEntries;
  readonly options: Options;
}

/** Tells what was done also when the server goes away in the middle. */
async function doAndTell(cli: Cli, server: GrpcConnection, { plan, files, options }: Work): Promise<void> {
  const { output: format } = options;
  const prune = options.prune === true;
  const results = new Map<string, Result>();
  const done = (result: Result) => void results.set(result.id, result);
  try {
    await during('applying', cli, (tell) => carryOut(server, plan, { prune, tell, done }));
  } finally {
    const steps = stepsOf(plan, prune);
    const isDone = ({ id }: Step) => results.has(id) && !isRefused(results.get(id) ?? { status: null });
    const items = steps.map((step) => ({
      ...step,
      done: isDone(step),
      error: errorOf(results.get(step.id)?.status),
    }));
    const document = { kind: 'EntryApply', dryRun: false, items, unchanged: plan.unchanged.length };
    output(cli, format, document, () => steps.filter(isDone).flatMap((step) => stepLines(cli.voice, step)));
    const refused = [...results.values()].filter(isRefused);
    const places = new Map(files.entries.map(({ content, at }) => [content.id, at]));
    for (const result of refused) {
      const at = places.get(result.id);
      tellRefusal(cli, at ? { ...result, id: placeOf(at) } : result);
    }
    for (const { present } of plan.conflicts) tellConflict(cli, present.id);
    tellRest(cli, plan, steps);
    if (refused.length + plan.conflicts.length > 0) cli.exitWith(exitCodes.negative);
  }
}

function tellConflict({ voice }: Cli, id: string): void {
  const { message, hint } = fault('REG0304', { id });
  voice.say(`${voice.mark('bad', 'stderr')} ${message}`);
  voice.say(`  = help: ${hint}`);
}

function tellRest({ voice }: Cli, plan: EntryPlan, steps: readonly Step[]): void {
  const kept = steps.filter(({ action }) => action === 'keep');
  for (const { spiffeId, id } of kept.slice(0, maxNamed)) {
    voice.say(
      `kept, though no file has it any more: ${visible(`${spiffeId} (${id})`)}; --prune would delete it`,
    );
  }
  if (kept.length > maxNamed) voice.say(`and ${kept.length - maxNamed} more`);
  voice.say(`${plan.unchanged.length} unchanged`);
}

/** Of entries that are only spoken of. */
const maxNamed = 10;
