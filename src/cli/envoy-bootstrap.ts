import { Command, InvalidArgumentError } from 'commander';
import { renderBootstrap } from '../envoy/bootstrap.js';
import type { Cli } from './cli.js';
import { readTextFile } from './text-file.js';

/** `plastron envoy bootstrap FILE --set NAME=VALUE ...`: the bootstrap with its variables filled in, on stdout. */
export function envoyBootstrap(cli: Cli): Command {
  return new Command()
    .argument('<file>', 'a template such as those in examples/envoy-configs')
    .option('--set <name=value>', 'the value of a variable; once for every variable', collect)
    .action((path: string, options: { set?: ReadonlyMap<string, string> }) => {
      cli.stdout.write(renderBootstrap(readTextFile(cli, path), options.set ?? new Map()));
    });
}

function collect(given: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(given) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Write NAME=VALUE.');
  if (before.has(name)) throw new InvalidArgumentError(`${name} has a value already.`);
  return new Map(before).set(name, value);
}
