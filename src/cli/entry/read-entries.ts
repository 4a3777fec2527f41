import { countDiagnostics, renderDiagnostics } from '../../base/diagnostics/render.js';
import { fault } from '../../base/faults/fault.js';
import type { SourceFile } from '../../base/source.js';
import { folderContents } from '../../control/folder-contents.js';
import { type LoadedEntries, loadEntries } from '../../registration/entries-file.js';
import type { TrustDomain } from '../../spiffe/id.js';
import { type Cli, exitCodes } from '../cli.js';
import { isFolder, readFilesIn } from '../policy-files.js';
import { readTextFile } from '../text-file.js';

export type ReadEntries = LoadedEntries & { entries: NonNullable<LoadedEntries['entries']> };

/**
 * The entries in files, and in the files of entries in folders. With a mistake in them all mistakes are shown, and the program
 * ends with 1. Throws CLI0201, CLI0602, CTL01xx.
 */
export async function readEntries(
  cli: Cli,
  paths: readonly string[],
  trustDomain: TrustDomain,
): Promise<ReadEntries | undefined> {
  const files: SourceFile[] = [];
  for (const path of paths)
    files.push(...(isFolder(cli, path) ? await inFolder(cli, path) : [readTextFile(cli, path)]));
  const { entries, prefixes, diagnostics } = loadEntries(files, trustDomain);
  if (entries) return { entries, prefixes, diagnostics };
  cli.voice.say(renderDiagnostics(diagnostics, (tone, text) => cli.voice.paint(tone, text, 'stderr')));
  cli.voice.say(`\n${countDiagnostics(diagnostics)}, nothing was applied`);
  cli.exitWith(exitCodes.negative);
  return undefined;
}

async function inFolder(cli: Cli, folder: string): Promise<readonly SourceFile[]> {
  const { entries } = folderContents(await readFilesIn(cli, folder));
  if (entries.length === 0) throw fault('CLI0602', { folder });
  return entries;
}
