import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { checkBackup, restoreBackup } from '../app/restore.js';
import { systemClock } from '../base/clock.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { backupFields, backupLines } from './backup-lines.js';
import type { Cli } from './cli.js';
import { examples } from './examples.js';
import { type OutputOptions, output, outputOption } from './output.js';
import { during } from './progress.js';
import { databaseOf, type StoreOptions } from './store-options.js';

interface Options extends OutputOptions, StoreOptions {
  from: string;
  dataDir?: string;
  trustDomain?: string;
  force?: true;
  dryRun?: true;
}

/** `plastron server restore`: a backup becomes the data directory of a server, which goes on in the place of the lost one. */
export function serverRestore(cli: Cli): Command {
  const command = new Command()
    .requiredOption('--from <file>', 'what `plastron server backup` wrote')
    .option('--data-dir <dir>', 'the data directory of the server; made when it is not there')
    .option('--trust-domain <name>', 'refuse a backup of another trust domain')
    .addOption(
      new Option(
        '--store <url>',
        'the PostgreSQL database, restored by its own tools, of a backup without one',
      ).conflicts('storeFile'),
    )
    .option('--store-file <file>', 'a file (0600) with the URL of that database, which may hold a password')
    .option('--force', 'move what is in the data directory into a folder in it')
    .option('--dry-run', 'check the backup and show what is in it, but no keys; change nothing')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `\nNo server may run on the data directory or the database meanwhile.\n${examples(
        'plastron server restore --from plastron.backup --dry-run',
        'plastron server restore --from plastron.backup --data-dir /var/lib/plastron',
      )}`,
    );
  return command.action(async (options: Options) => {
    const { from, dataDir, trustDomain, force = false, dryRun } = options;
    const settings = {
      path: resolve(cli.cwd, from),
      ...(trustDomain !== undefined && { trustDomain: parseTrustDomain(trustDomain) }),
      clock: systemClock,
    };
    if (dryRun) {
      const contents = await during('checking the backup', cli, () => checkBackup(settings));
      output(cli, options.output, { kind: 'Backup', file: from, ...backupFields(contents) }, () => [
        `${cli.voice.mark('good')} ${from} can be restored`,
        ...backupLines(contents),
      ]);
      return;
    }
    if (dataDir === undefined)
      return command.error("error: required option '--data-dir <dir>' not specified");
    const restored = await during('restoring', cli, () =>
      restoreBackup({ ...settings, dataDir: resolve(cli.cwd, dataDir), ...databaseOf(cli, options), force }),
    );
    const { movedTo } = restored;
    const document = { kind: 'Restore', dataDir, movedTo: movedTo ?? null, ...backupFields(restored) };
    output(cli, options.output, document, () => [`+ ${dataDir}`, ...backupLines(restored)]);
    if (movedTo !== undefined) cli.voice.say(`what was there before is in ${movedTo}`);
    cli.voice.say(
      'now start the server, ban and evict again whom you did since the backup, and make new join tokens',
    );
  });
}
