import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { type Ending, endChild } from '../test/support/children.js';
import type { Missing } from './bench.js';

type Variable = 'SPIRE_SERVER_BIN' | 'SPIRE_AGENT_BIN';

/** Where these variables of the environment say SPIRE's programs are, or why one of them cannot take part. */
export function spirePrograms<Name extends Variable>(
  ...names: readonly Name[]
): Readonly<Record<Name, string>> | Missing {
  const missing = names.flatMap((name) => whyMissing(name) ?? []);
  if (missing.length > 0) return { missing: missing.join('; ') };
  const paths = names.map((name) => [name, process.env[name] ?? '']);
  return Object.fromEntries(paths) as Record<Name, string>;
}

function whyMissing(name: Variable): string | undefined {
  const program = process.env[name];
  if (program === undefined || program === '') return `${name} is not set`;
  try {
    accessSync(program, constants.X_OK);
    return undefined;
  } catch {
    return `${name} is no program: ${program}`;
  }
}

/** What it logs is shown when `VERBOSE` is set. */
export function startSpireProgram(ending: Ending, program: string, config: string): ChildProcess {
  const child = spawn(program, ['run', '-config', config], {
    stdio: ['ignore', 'ignore', process.env.VERBOSE ? 'inherit' : 'ignore'],
  });
  ending.after(() => endChild(child));
  return child;
}
