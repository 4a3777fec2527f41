import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { testCa } from './ca.js';
import { type Ending, endChild } from './children.js';
import { freePort } from './plastron.js';

/** The reason why tests with PostgreSQL cannot run here, or `false` when they can: for `skip`. */
export function postgresMissing(): string | false {
  return binaries() ? false : 'no PostgreSQL (initdb and postgres on PATH or in /usr/lib/postgresql)';
}

/** A PostgreSQL server of the test's own. */
export interface TestPostgres {
  /** Makes an empty database and gives its URL by unix socket, without a password. */
  newDatabase(options?: string): Promise<string>;
  /** The URL of the same database by TCP on loopback, with TLS verified and the password. */
  tlsUrl(url: string): string;
  /** The same in plain text. */
  tcpUrl(url: string): string;
  readonly password: string;
  /** PEM file of the authority of its certificate, whose names are `localhost` and `db.shop.example`. */
  readonly authorityFile: string;
  /** Runs SQL (several statements, if need be) in a database and gives the rows of the last one. */
  sql(url: string, text: string): Promise<Record<string, unknown>[]>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Ends it in order; open connections are broken. */
  stop(): Promise<void>;
  /** Starts it again, on the same addresses and data, and waits until it answers. */
  start(): Promise<void>;
  /** Stops and continues every process of it: a database that hangs. */
  freeze(): void;
  thaw(): void;
  readonly dataDir: string;
}

export interface PostgresOptions {
  /** Lines of postgresql.conf. Without any, nothing is forced to the disk, which survives a kill of the processes. */
  readonly config?: Readonly<Record<string, string>>;
  /** A folder for its data, such as a small disk; made by the caller. */
  readonly dataParent?: string;
}

/** Starts a PostgreSQL server that ends with the test, or with the file: `startPostgres({ after })`. */
export async function startPostgres(t: Ending, options: PostgresOptions = {}): Promise<TestPostgres> {
  const bin = binaries();
  if (!bin) throw new Error('no PostgreSQL');
  const folder = mkdtempSync(join(options.dataParent ?? tmpdir(), 'pg-'));
  const sockets = options.dataParent === undefined ? folder : mkdtempSync(join(tmpdir(), 'pg-'));
  const as = unprivileged();
  const password = 'it is a secret: \\ @ /';
  const dataDir = join(folder, 'data');
  const authorityFile = join(sockets, 'ca.pem');
  for (const made of [folder, sockets]) {
    chmodSync(made, 0o755);
    if (as.uid !== undefined && as.gid !== undefined) chownSync(made, as.uid, as.gid);
  }
  initialise(bin, { dataDir, password, as, folder });
  const port = await freePort();
  configure({ dataDir, port, sockets, authorityFile, as, config: options.config ?? {} });
  let child: ChildProcess | undefined;
  const start = async () => {
    child = await startServer(join(bin, 'postgres'), dataDir, as, () => sql(url('postgres'), 'select 1'));
  };
  const url = (database: string) => `postgres://plastron@/${database}?host=${sockets}&port=${port}`;
  const tcp = (from: string, query: string) =>
    `postgres://plastron:${encodeURIComponent(password)}@localhost:${port}/${nameIn(from)}?${query}`;
  const signalAll = (signal: NodeJS.Signals) => {
    for (const pid of processGroup(child)) signalIfThere(pid, signal);
  };
  // Also when the test is ended from outside.
  process.once('exit', () => signalAll('SIGKILL'));
  t.after(async () => {
    signalAll('SIGCONT');
    if (child) await endChild(child);
    for (const made of [folder, sockets]) rmSync(made, { recursive: true, force: true });
  });
  await start();
  let last = 0;
  return {
    newDatabase: async (more = '') => {
      const name = `d${++last}`;
      await sql(url('postgres'), `create database ${name} ${more}`);
      return url(name);
    },
    tlsUrl: (from) => tcp(from, `sslmode=verify-full&sslrootcert=${encodeURIComponent(authorityFile)}`),
    tcpUrl: (from) => tcp(from, 'sslmode=disable'),
    password,
    authorityFile,
    sql,
    kill: async () => {
      const pids = processGroup(child);
      if (child) await endChild(child);
      while (pids.some(isAlive)) await sleep(10);
    },
    stop: async () => {
      if (!child || child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    },
    start,
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
    dataDir,
  };
}

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

function binaries(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const places = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(debian, version, 'bin')),
    '/usr/local/bin',
  ];
  return places.find((place) => ['initdb', 'postgres'].every((name) => existsSync(join(place, name))));
}

/** PostgreSQL does not run as root. */
function unprivileged(): User {
  if (process.geteuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map((flag) =>
        Number(execFileSync('id', [flag, name], { stdio: 'pipe' })),
      );
      if (uid !== undefined && gid !== undefined) return { uid, gid };
    } catch {
      // The next one.
    }
  }
  throw new Error('PostgreSQL needs a user that is not root');
}

function initialise(
  bin: string,
  { dataDir, password, as, folder }: { dataDir: string; password: string; as: User; folder: string },
): void {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o644 });
  const args = ['--no-sync', '--auth-local=trust', '--auth-host=scram-sha-256', '--username=plastron'];
  execFileSync(
    join(bin, 'initdb'),
    [...args, '--encoding=UTF8', '--locale=C', `--pwfile=${passwordFile}`, '-D', dataDir],
    { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  rmSync(passwordFile);
}

interface Configuration {
  dataDir: string;
  port: number;
  sockets: string;
  authorityFile: string;
  as: User;
  config: Readonly<Record<string, string>>;
}

function configure({ dataDir, port, sockets, authorityFile, as, config }: Configuration): void {
  const ca = testCa('shop.example');
  const server = ca.svid('the database', { uris: [], dns: ['localhost', 'db.shop.example'] });
  writeFileSync(authorityFile, ca.bundlePem);
  const own = (name: string, text: string) => {
    writeFileSync(join(dataDir, name), text, { mode: 0o600 });
    if (as.uid !== undefined && as.gid !== undefined) chownSync(join(dataDir, name), as.uid, as.gid);
  };
  own('server.crt', server.chainPem);
  own('server.key', server.keyPem);
  const settings = {
    listen_addresses: "'localhost'",
    port: String(port),
    unix_socket_directories: `'${sockets}'`,
    ssl: 'on',
    shared_buffers: '16MB',
    max_connections: '60',
    ...(Object.keys(config).length > 0 ? config : { fsync: 'off', full_page_writes: 'off' }),
  };
  own(
    'postgresql.conf',
    Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(''),
  );
}

async function startServer(
  program: string,
  dataDir: string,
  as: User,
  probe: () => Promise<unknown>,
): Promise<ChildProcess> {
  const log = join(dataDir, 'log.txt');
  for (let attempt = 1; ; attempt++) {
    const output = openSync(log, 'a');
    const child = spawn(program, ['-D', dataDir], { ...as, cwd: dataDir, stdio: ['ignore', output, output] });
    closeSync(output);
    while (child.exitCode === null && child.signalCode === null) {
      try {
        await probe();
        return child;
      } catch {
        await sleep(20);
      }
    }
    // After a kill its old processes take a moment to notice.
    if (attempt === 50)
      throw new Error(`PostgreSQL does not start: ${readFileSync(log, 'utf8').slice(-2000)}`);
    await sleep(100);
  }
}

/** The server and its children. */
function processGroup(child: ChildProcess | undefined): number[] {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return [];
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === child.pid);
  return [child.pid, ...children.map(Number)];
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // it ended meanwhile
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && parentOf(String(pid)) !== process.pid;
}

const nameIn = (url: string) => /\/(\w+)\?/.exec(url)?.[1] ?? '';

async function sql(url: string, text: string): Promise<Record<string, unknown>[]> {
  const { host, port } = Object.fromEntries(new URLSearchParams(url.slice(url.indexOf('?'))));
  const client = new Client({
    host: host ?? '',
    port: Number(port),
    user: 'plastron',
    database: nameIn(url),
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const results: unknown = await client.query(text);
    const last = (Array.isArray(results) ? results.at(-1) : results) as { rows?: Record<string, unknown>[] };
    return last.rows ?? [];
  } finally {
    await client.end();
  }
}
