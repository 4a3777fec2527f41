import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { fault } from '../base/faults/fault.js';
import { faultTable } from '../base/faults/table.js';
import type { Cli } from './cli.js';

/** `plastron explain CODE`: the code's section of docs/errors.md, which travels in the package. */
export function explain(cli: Cli): Command {
  return new Command().argument('<code>', 'an error code, such as IDN0101').action((given: string) => {
    const code = given.toUpperCase();
    if (!Object.hasOwn(faultTable, code)) throw fault('CLI0101', { code: given });
    const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    const section = page.split(/^### /m).find((part) => part.startsWith(`${code}\n`));
    cli.voice.print(`${cli.voice.paint('strong', code)}\n`);
    cli.voice.print(section?.slice(code.length).split(/^## /m)[0]?.replaceAll('**', '').trim());
  });
}
