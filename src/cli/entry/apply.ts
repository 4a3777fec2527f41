import { Command } from 'commander';
import { countDiagnostics, renderDiagnostics } from '../../base/diagnostics/render.js';
import { loadEntries } from '../../registration/entries-file.js';
import type { EntryDraft } from '../../registration/entry.js';
import { type EntryPlan, planEntries } from '../../registration/plan.js';
import { parseTrustDomain, type TrustDomain } from '../../spiffe/id.js';
import type { GrpcConnection } from '../../transport/grpc-client.js';
import { serviceDefinition } from '../../wire/services.js';
import { adminSocketOption, refusal, withServer } from '../admin.js';
import { type Cli, exitCodes } from '../cli.js';
import { readTextFile } from '../text-file.js';
import { draftMessage, entryFrom, listEntries } from './message.js';

interface Options {
  adminSocket: string;
  file: string[];
  prune?: true;
  dryRun?: true;
}

/** `plastron entry apply -f FILE`: makes the server's entries say what the files say; `+` created, `~` updated, `-` deleted. */
export function entryApply(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .requiredOption('-f, --file <file>', 'entries as YAML; may be given several times', several)
    .option('--prune', 'also delete entries that an earlier apply made and no file has any more')
    .option('--dry-run', 'only say what would be done')
    .addHelpText(
      'after',
      '\nOn stdout: + created, ~ updated, - deleted, one line an entry; nothing when nothing differs.',
    )
    .action((options: Options) => withServer(options, (server) => apply(cli, server, options)));
}

async function apply(cli: Cli, server: GrpcConnection, options: Options): Promise<void> {
  const { GetBundle } = serviceDefinition('spire.api.server.bundle.v1.Bundle');
  const { trust_domain = '' } = await server.unary(GetBundle, { output_mask: {} });
  const trustDomain = parseTrustDomain(trust_domain);
  const wanted = readEntries(cli, options.file, trustDomain);
  if (!wanted) return;
  const existing = (await listEntries(server)).map((message) => entryFrom(message, trustDomain));
  const plan = planEntries(wanted, existing);
  if (!options.dryRun) await carryOut(server, plan, options.prune === true);
  for (const { spiffeId, id } of plan.create) cli.voice.print(`+ ${spiffeId} (${id})`);
  for (const { spiffeId, id } of plan.update) cli.voice.print(`~ ${spiffeId} (${id})`);
  for (const { spiffeId, id } of plan.surplus) {
    if (options.prune) cli.voice.print(`- ${spiffeId} (${id})`);
    else cli.voice.say(`kept, though no file has it any more: ${spiffeId} (${id}); --prune would delete it`);
  }
  cli.voice.say(`${plan.unchanged.length} unchanged`);
}

/** Every problem of the files is shown; with one of them nothing is applied. */
function readEntries(
  cli: Cli,
  paths: readonly string[],
  trustDomain: TrustDomain,
): readonly EntryDraft[] | undefined {
  const files = paths.map((path) => readTextFile(cli, path));
  const { entries, diagnostics } = loadEntries(files, trustDomain);
  if (entries) return entries;
  cli.voice.say(renderDiagnostics(diagnostics, (tone, text) => cli.voice.paint(tone, text, 'stderr')));
  cli.voice.say(`\n${countDiagnostics(diagnostics)}, nothing was applied`);
  cli.exitWith(exitCodes.negative);
  return undefined;
}

/** As many as one request may name. */
const batchSize = 500;

async function carryOut(server: GrpcConnection, plan: EntryPlan, prune: boolean): Promise<void> {
  const api = serviceDefinition('spire.api.server.entry.v1.Entry');
  for (const entries of batches(plan.create.map(draftMessage))) {
    check(await server.unary(api.BatchCreateEntry, { entries }));
  }
  for (const entries of batches(plan.update.map(draftMessage))) {
    check(await server.unary(api.BatchUpdateEntry, { entries }));
  }
  for (const ids of batches(prune ? plan.surplus.map(({ id }) => id) : [])) {
    check(await server.unary(api.BatchDeleteEntry, { ids }));
  }
}

function check({
  results = [],
}: {
  results?: readonly { status?: { code?: number; message?: string } | null }[];
}): void {
  const failed = results.find(({ status }) => status?.code);
  if (failed) throw refusal(failed.status?.message ?? '');
}

function batches<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / batchSize);
  return Array.from({ length: count }, (_, i) => items.slice(i * batchSize, (i + 1) * batchSize));
}

function several(given: string, before: string[] = []): string[] {
  return [...before, given];
}
