import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { checkBackup } from '../app/restore.js';
import { systemClock } from '../base/clock.js';
import { fault } from '../base/faults/fault.js';
import { systemErrorCode, writePrivateFile } from '../disk/private-file.js';
import type { GrpcConnection } from '../transport/grpc-client.js';
import { serviceDefinition } from '../wire/services.js';
import { type AdminOptions, adminSocketOption, withServer } from './admin.js';
import { backupFields, backupLines } from './backup-lines.js';
import type { Cli } from './cli.js';
import { examples } from './examples.js';
import { type OutputOptions, output, outputOption } from './output.js';
import { during } from './progress.js';
import type { TextSink } from './voice.js';

interface Options extends AdminOptions, OutputOptions {
  out: string;
  force?: true;
}

/** `plastron server backup`: everything that a running server keeps, in one file. */
export function serverBackup(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .requiredOption('--out <file>', 'where the backup goes (0600); `-` for stdout')
    .option('--force', 'replace a file that is there already')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `\nThe file is secret: it has the signing keys of the trust domain. The server goes on meanwhile.\n${examples(
        'plastron server backup --out plastron-$(date +%F).backup',
        'plastron server backup --out - | age -r RECIPIENT > plastron.backup.age',
      )}`,
    )
    .action(async (options: Options) => {
      if (options.out === '-') return toStdout(cli, options);
      const path = resolve(cli.cwd, options.out);
      if (existsSync(path) && !options.force) throw fault('CLI0801', { path: options.out });
      await during('making the backup', cli, (tell) => toFile(options, path, tell));
      const contents = await during('checking it', cli, () => checkBackup({ path, clock: systemClock }));
      const document = { kind: 'Backup', file: options.out, ...backupFields(contents) };
      output(cli, options.output, document, () => [`+ ${options.out}`, ...backupLines(contents)]);
      cli.voice.say('keep it as secret as the keys in it');
    });
}

async function toFile(options: Options, path: string, tell: (howFar: string) => void): Promise<void> {
  await withServer(options, (server) =>
    writing(options.out, () => writePrivateFile(path, counted(backupOf(server), tell))),
  );
}

async function toStdout(cli: Cli, options: Options): Promise<void> {
  if (cli.stdout.isTTY) throw fault('CLI0803', {});
  await withServer(options, async (server) => {
    for await (const bytes of backupOf(server)) await writing('-', () => written(cli.stdout, bytes));
  });
}

function written(sink: TextSink, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

async function writing(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    const reason = systemErrorCode(cause);
    throw reason === undefined ? cause : fault('CLI0804', { path, reason }, { cause });
  }
}

async function* backupOf(server: GrpcConnection): AsyncGenerator<Uint8Array> {
  const { CreateBackup } = serviceDefinition('plastron.server.v1.Backup');
  const stream = server.stream(CreateBackup);
  stream.send({});
  stream.end();
  for await (const { data } of stream.responses) if (data) yield data;
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  tell: (howFar: string) => void,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const bytes of chunks) {
    size += bytes.length;
    tell(`${Math.round(size / 1024 / 1024)} MiB`);
    yield bytes;
  }
}
