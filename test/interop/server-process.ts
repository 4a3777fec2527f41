import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../support/children.js';
import { freePort, plastronOutput, startPlastron } from '../support/plastron.js';
import { untilSuccess } from './until-success.js';

/** A server of `shop.example` as a process of its own, and its operator, who uses the command line. */
export async function serverProcess(t: TestContext, more: readonly string[] = []) {
  const folder = temporaryFolder(t);
  const port = await freePort();
  const adminSocket = join(folder, 'admin.sock');
  const args = ['--trust-domain', 'shop.example', '--data-dir', join(folder, 'data')];
  startPlastron(t, [
    'server',
    'run',
    ...args,
    '--listen',
    `127.0.0.1:${port}`,
    '--admin-socket',
    adminSocket,
    ...more,
  ]);
  const operator = (...command: string[]) => plastronOutput([...command, '--admin-socket', adminSocket]);
  return {
    folder,
    port,
    adminSocket,
    operator,
    bundle: await untilSuccess(() => operator('bundle', 'show')),
  };
}
