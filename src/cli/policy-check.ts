import { Command } from 'commander';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../base/diagnostics/diagnostic.js';
import { countDiagnostics, renderDiagnostics } from '../base/diagnostics/render.js';
import { fault } from '../base/faults/fault.js';
import { folderContents } from '../control/folder-contents.js';
import { type CheckedPolicy, checkPolicy, type PolicyCheck } from '../policy/check-policy.js';
import { loadEntries } from '../registration/entries-file.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { type Cli, exitCodes } from './cli.js';
import { examples } from './examples.js';
import { readFiles } from './policy-files.js';

interface Options {
  trustDomain?: string;
}

/** `plastron policy check PATH...`: everything that the server asks of a policy, and of the entries beside it, before it takes them. */
export function policyCheck(cli: Cli): Command {
  return new Command()
    .argument('<path...>', 'the policy folder, or all files of the policy; files of entries are checked too')
    .option('--trust-domain <name>', 'that of the server, for entries (default: that of the first entry)')
    .addHelpText(
      'after',
      `${examples('plastron policy check policy/')}\n\nExit codes: 0 no errors, 1 something would be refused, 2 it cannot be read.`,
    )
    .action(async (paths: string[], { trustDomain }: Options) => {
      const files = folderContents(await readFiles(cli, paths));
      const domain = trustDomain === undefined ? undefined : parseTrustDomain(trustDomain);
      const entries = loadEntries(files.entries, domain);
      const policy = files.policy.length > 0 ? checkPolicy(files.policy, Date.now()) : undefined;
      if (!policy && files.entries.length === 0) throw fault('CTL0102', { folder: paths.join(' ') });
      const found = sortDiagnostics([...(policy?.diagnostics ?? []), ...entries.diagnostics]);
      if (found.length > 0) cli.voice.print(`${renderDiagnostics(found, cli.voice.paint)}\n`);
      if (policy) await tellPolicy(cli, policy);
      if (files.entries.length > 0) tellEntries(cli, entries.entries?.length, entries.diagnostics);
      if (hasErrors(found)) cli.exitWith(exitCodes.negative);
    });
}

async function tellPolicy({ voice }: Cli, { checked, diagnostics, tests }: PolicyCheck): Promise<void> {
  const found = countDiagnostics(diagnostics);
  if (!checked) {
    voice.print(`${voice.mark('bad')} the policy would be refused: ${found}`);
    return;
  }
  await compile(checked);
  const { services, rules } = checked.policy;
  const size = `${plural(services.size, 'service')}, ${plural(rules.length, 'rule')}, ${plural(tests.length, 'test')} passed`;
  voice.print(
    `${voice.mark('good')} the policy is good: ${[size, found].filter((part) => part !== '').join('; ')}`,
  );
}

/** Compiling loads Envoy's protos, which errors in the policy need not wait for. */
async function compile({ policy, diagrams }: CheckedPolicy): Promise<void> {
  const { httpFilter } = await import('../envoy/rbac/http-filter.js');
  for (const [name, diagram] of diagrams) {
    const service = policy.services.get(name);
    if (service) httpFilter(diagram, service.identity, Date.now());
  }
}

function tellEntries({ voice }: Cli, count: number | undefined, diagnostics: readonly Diagnostic[]): void {
  if (count === undefined) {
    voice.print(`${voice.mark('bad')} the entries would be refused: ${countDiagnostics(diagnostics)}`);
  } else voice.print(`${voice.mark('good')} the entries are good: ${plural(count, 'entry', 'entries')}`);
}

function plural(count: number, word: string, words = `${word}s`): string {
  return `${count} ${count === 1 ? word : words}`;
}
