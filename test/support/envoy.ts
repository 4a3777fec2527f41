import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEnvoy } from '../../src/demo/envoy-binary.js';
import type { Ending } from './children.js';

export interface EnvoyOptions {
  /** The bootstrap: YAML or JSON text. */
  config: string;
  /** Default true: resolve once `/ready` says LIVE. False: as soon as the admin interface answers. */
  ready?: boolean;
  /** Default `info`; `debug` explains most refusals. */
  logLevel?: string;
  /** Further arguments. */
  args?: string[];
}

export interface RunningEnvoy {
  readonly pid: number;
  /** A fresh folder, removed at the end; Envoy runs in it, so relative pipe paths in the bootstrap lie there. */
  readonly folder: string;
  /** Asks the admin interface, `admin('/stats?format=json')`; a POST when `method` says so. Gives the body. */
  admin(path: string, method?: 'GET' | 'POST'): Promise<string>;
  /** The TCP port that a listener got, by the listener's name. */
  port(listener: string): Promise<number>;
  /** The value of one counter or gauge by its full name; 0 when Envoy has not made it yet. */
  stat(name: string): Promise<number>;
  /** Everything Envoy wrote to stderr. */
  logs(): string;
  /** Ends it, and waits until it is gone. Called by itself at the end of the test. */
  stop(): Promise<void>;
}

/**
 * Runs a real Envoy with a bootstrap of the test's own. Its admin interface may be a pipe or a TCP port (`port_value: 0`).
 * It ends with the test, and with the test's process even when that is killed (Linux with setpriv).
 */
export async function startEnvoy(ending: Ending, options: EnvoyOptions): Promise<RunningEnvoy> {
  const binary = await findEnvoy(process.env, (sentence) => console.error(sentence));
  const folder = mkdtempSync(join(tmpdir(), 'pe-'));
  const config = join(folder, 'envoy.yaml');
  writeFileSync(config, options.config);
  const adminFile = join(folder, 'admin');
  const child = spawnEnvoy(binary, folder, [
    ...[
      '--config-path',
      config,
      '--admin-address-path',
      adminFile,
      '--log-level',
      options.logLevel ?? 'info',
    ],
    ...['--concurrency', '1', '--disable-hot-restart', '--file-flush-interval-msec', '20'],
    ...(options.args ?? []),
  ]);
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const stop = (): Promise<void> => end(child);
  ending.after(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const admin = (path: string, method: 'GET' | 'POST' = 'GET') =>
    askAdmin(readFileSync(adminFile, 'utf8'), folder, path, method);
  await untilUp(child, options.ready ?? true, admin, () => log);
  return {
    pid: child.pid ?? 0,
    folder,
    admin,
    port: async (listener) => portOf(await admin('/listeners?format=json'), listener),
    stat: async (name) => statOf(await admin(`/stats?format=json&filter=${exactly(name)}`), name),
    logs: () => log,
    stop,
  };
}

function spawnEnvoy(binary: string, folder: string, args: string[]): ChildProcess {
  const hasSetpriv = spawnSync('setpriv', ['--version']).error === undefined;
  const [command, first] = hasSetpriv ? ['setpriv', ['--pdeathsig', 'KILL', binary]] : [binary, []];
  return spawn(command, [...first, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const slow = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(slow);
}

async function untilUp(
  child: ChildProcess,
  ready: boolean,
  admin: (path: string) => Promise<string>,
  log: () => string,
): Promise<void> {
  const deadline = Date.now() + 30_000;
  let last: unknown;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    try {
      const answer = await admin('/ready');
      if (!ready || answer === 'LIVE\n') return;
      last = answer;
    } catch (error) {
      last = error;
    }
    await sleep(20);
  }
  await end(child);
  const lines = log().trimEnd().split('\n').slice(-25);
  throw new Error(`Envoy did not come up (${String(last).trim()}):\n${lines.join('\n')}`);
}

/** `address` is what Envoy wrote: `127.0.0.1:40123`, or the path of a pipe. */
async function askAdmin(address: string, folder: string, path: string, method: string): Promise<string> {
  const tcp = /^(.+):(\d+)$/.exec(address);
  const where = tcp
    ? { host: tcp[1], port: tcp[2] }
    : { socketPath: join(address.startsWith('/') ? '' : folder, address) };
  const call = request({ ...where, path, method, headers: { host: 'admin' }, agent: false });
  call.end();
  const [response] = (await once(call, 'response')) as [AsyncIterable<Buffer>];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

interface Listeners {
  listener_statuses: { name: string; local_address: { socket_address?: { port_value: number } } }[];
}

function portOf(json: string, listener: string): number {
  const { listener_statuses } = JSON.parse(json) as Listeners;
  const port = listener_statuses.find(({ name }) => name === listener)?.local_address.socket_address
    ?.port_value;
  if (port === undefined) throw new Error(`Envoy has no TCP listener called ${listener}: ${json}`);
  return port;
}

function statOf(json: string, name: string): number {
  const { stats } = JSON.parse(json) as { stats: { name?: string; value?: number }[] };
  return stats.find((stat) => stat.name === name)?.value ?? 0;
}

function exactly(text: string): string {
  return encodeURIComponent(`^${text.replace(/[.[\]|()*+?^${}\\]/g, '\\$&')}$`);
}
