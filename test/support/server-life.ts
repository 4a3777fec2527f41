import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dialTls } from '../../src/transport/dial-tls.js';
import { dialUnix } from '../../src/transport/dial-unix.js';
import type { GrpcConnection } from '../../src/transport/grpc-client.js';
import { endChild } from './children.js';
import { freePort, plastron } from './plastron.js';

/** One life of a server that runs as a process of its own. */
export interface ServerLife {
  readonly pid: number;
  readonly address: string;
  readonly admin: GrpcConnection;
  /** Without certificate, as a node attests. */
  readonly anonymous: GrpcConnection;
  /** What it logs, oldest first. */
  readonly log: readonly string[];
  /** -9. Fails if it ended by itself. */
  kill(): Promise<void>;
}

export interface LifeOptions {
  readonly dataDir: string;
  /** Of the admin socket; short. */
  readonly folder: string;
  /** Further flags of `plastron server run`. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What starts the process, before its own words: another namespace, for one. */
  readonly command?: readonly string[];
}

/** Starts `plastron server run` for `shop.example` and waits until it serves. Fails, with its log, if it ends instead. */
export async function startLife(t: TestContext, options: LifeOptions): Promise<ServerLife> {
  const { dataDir, folder, flags = [], env = {}, command = [] } = options;
  const address = `127.0.0.1:${await freePort()}`;
  const socket = join(folder, 'a.sock');
  const [program = '', ...args] = [
    ...[...command, process.execPath, plastron, 'server', 'run', '--trust-domain', 'shop.example'],
    ...['--listen', address, '--data-dir', dataDir, '--admin-socket', socket, ...flags],
  ];
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => endChild(child));
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.push(line);
    if (process.env.VERBOSE) console.error(line);
  });
  while (!(await answers(socket))) {
    assert.ok(isAlive(child), `the server does not start: ${log.join('\n')}`);
    await sleep(10);
  }
  const admin = dialUnix(socket);
  const anonymous = dialTls({ address, verifyServer: () => {} });
  const close = () => {
    admin.close();
    anonymous.close();
  };
  t.after(close);
  return {
    pid: child.pid ?? 0,
    address,
    admin,
    anonymous,
    log,
    kill: async () => {
      assert.ok(isAlive(child), `the server ended by itself: ${log.join('\n')}`);
      await endChild(child);
      close();
    },
  };
}

const isAlive = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

/** The admin socket is the last thing that a server opens. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const end = (answer: boolean) => {
      connection.destroy();
      resolve(answer);
    };
    connection.once('connect', () => end(true)).once('error', () => end(false));
  });
}
