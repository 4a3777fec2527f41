import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { runProgram } from '../../src/cli/program.js';

/**
 * Runs command lines one after another in a fresh folder that holds `files`, and gives back what a reader would see:
 *
 *     $ plastron policy check bad.yaml
 *     (stdout as it is)
 *     err| (stderr, line by line)
 *     exit 1
 *
 * Words are split at spaces; `'...'` keeps spaces together. `env` is the whole environment.
 */
export async function transcript(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  lines: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'pl-cli-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  const shown: string[] = [];
  for (const line of lines) shown.push(await runLine(line, cwd, env));
  return shown.join('\n');
}

async function runLine(line: string, cwd: string, env: Readonly<Record<string, string>>): Promise<string> {
  const written = { out: '', err: '' };
  const sink = (key: 'out' | 'err') => ({
    write: (text: string) => {
      written[key] += text;
    },
  });
  const args = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  const code = await runProgram(args, { stdout: sink('out'), stderr: sink('err'), env, cwd });
  const { out, err } = written;
  const errLines = err === '' ? '' : err.trimEnd().replace(/^/gm, 'err| ').replace(/ +$/gm, '').concat('\n');
  return `$ plastron ${line}\n${out}${errLines}exit ${code}\n`;
}
