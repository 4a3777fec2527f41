import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Ending, endChild } from './children.js';

/** The program, for Node. */
export const plastron = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** Starts `plastron` as a process of its own; it is killed when the test ends. What it logs is shown when `VERBOSE` is set. */
export function startPlastron(
  t: Ending,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(process.execPath, [plastron, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', process.env.VERBOSE ? 'inherit' : 'ignore'],
  });
  t.after(() => endChild(child));
  return child;
}

/** What a `plastron` command that ends prints on stdout, without the last line break. Rejects unless it exits with 0. */
export async function plastronOutput(args: readonly string[]): Promise<string> {
  const env = { PATH: process.env.PATH };
  const { stdout } = await promisify(execFile)(process.execPath, [plastron, ...args], { env });
  return stdout.trimEnd();
}

/** A TCP port of loopback that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
