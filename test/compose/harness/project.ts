import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { type Crew, openCrew } from '../../../src/demo/processes.js';
import { type Box, enterBox, type Mount, openBox } from './box.js';
import { type Image, layersOf } from './image.js';
import { type Networks, openNetworks } from './network.js';

const run = promisify(execFile);

/** A compose file that runs, without an engine: its commands, users, mounts, networks and order are those of the file. */
export interface Project {
  /** Starts everything, each service once those that it depends on are as far as it says. */
  up(): Promise<void>;
  /** Runs a command in a service's container: what it printed, or its exit code when that is not 0. */
  exec(service: string, command: readonly string[], user?: string): Promise<{ output: string; code: number }>;
  /** Everything that a service has written to stdout and stderr. */
  logs(service: string): string;
  /** Ends everything; volumes on the disk stay. */
  down(): Promise<void>;
}

export interface ProjectOptions {
  readonly file: string;
  /** By the name that the file gives to an image. */
  readonly images: Readonly<Record<string, Image>>;
  /** An empty folder. */
  readonly place: string;
}

/** The part of the compose specification that our file uses. Another key is an error, so that none is silently left out. */
interface ServiceFile {
  image: string;
  build?: unknown;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  pid?: string;
  network_mode?: string;
  networks?: string[];
  entrypoint?: string[];
  command?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
}

interface ComposeFile {
  services: Record<string, ServiceFile>;
  networks: Record<string, unknown>;
  volumes: Record<string, { driver_opts?: { o: string } }>;
}

const knownKeys = new Set(
  (
    'image build user read_only cap_drop security_opt pid network_mode networks entrypoint command volumes healthcheck ' +
    'depends_on'
  ).split(' '),
);

/** Needs root. */
export function openProject(options: ProjectOptions): Project {
  const file = parse(readFileSync(options.file, 'utf8'), { merge: true }) as ComposeFile;
  const services = new Map(Object.entries(file.services));
  const networks = openNetworks(membersOf(file));
  const crew = openCrew({ started: () => undefined, lost: (error) => losses.push(error) });
  const losses: Error[] = [];
  const running: Running = { options, file, networks, crew, started: new Map() };
  const logs = (service: string) => readFileSync(logOf(options, service), 'utf8');
  return {
    up: async () => {
      for (const name of services.keys()) await start(name, running);
      if (losses[0]) throw losses[0];
    },
    exec: async (service, command, user) => {
      const { box, pid } = startedOf(running, service);
      const [program = '', ...args] = enterBox(box, programIn(box, pid), command, user);
      return await outcomeOf(program, args);
    },
    logs,
    down: async () => {
      await crew.stop();
      networks.remove();
      // What lies in memory goes with the last container that has it.
      for (const [name, { driver_opts }] of Object.entries(file.volumes)) {
        if (driver_opts) rmSync(join(options.place, 'volumes', name), { recursive: true, force: true });
      }
    },
  };
}

interface Running {
  readonly options: ProjectOptions;
  readonly file: ComposeFile;
  readonly networks: Networks;
  readonly crew: Crew;
  readonly started: Map<string, { box: Box; pid: number }>;
}

function membersOf({ services, networks }: ComposeFile): Map<string, string[]> {
  const inNetwork = (network: string) =>
    Object.keys(services).filter((name) => services[name]?.networks?.includes(network));
  return new Map(Object.keys(networks).map((network) => [network, inNetwork(network)]));
}

async function start(name: string, running: Running): Promise<void> {
  if (running.started.has(name)) return;
  const service = running.file.services[name];
  if (!service) throw new Error(`no service is called ${name}`);
  const unknown = Object.keys(service).filter((key) => !knownKeys.has(key));
  if (unknown.length > 0) throw new Error(`this test does not know ${unknown.join(', ')} (${name})`);
  for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
    await start(other, running);
    if (condition === 'service_healthy') await untilHealthy(other, running);
  }
  const box = boxOf(name, service, running);
  const command = openBox(box, join(running.options.place, 'roots', name));
  const log = logOf(running.options, name);
  prepareLog(log, box.user);
  running.started.set(name, { box, pid: 0 });
  if (isOneShot(name, running.file)) await runToItsEnd(name, command, log);
  else running.started.set(name, { box, pid: startProcess(name, command, log, running.crew) });
}

function isOneShot(name: string, { services }: ComposeFile): boolean {
  return Object.values(services).some(
    (other) => other.depends_on?.[name]?.condition === 'service_completed_successfully',
  );
}

function boxOf(name: string, service: ServiceFile, running: Running): Box {
  const { options, file, networks } = running;
  const image = options.images[service.image];
  if (!image) throw new Error(`no image is called ${service.image}`);
  const joined = service.network_mode === 'none' ? [] : (service.networks ?? []);
  return {
    command: [...(service.entrypoint ?? image.entrypoint), ...(service.command ?? [])],
    env: image.env,
    cwd: image.cwd,
    user: service.user ?? image.user,
    network: networks.join(name, joined),
    pids: pidsOf(service.pid, running),
    readOnly: service.read_only === true,
    confined: service.cap_drop?.includes('ALL') === true && service.security_opt !== undefined,
    mounts: [
      ...layersOf(image, service.read_only === true),
      ...(service.volumes ?? []).map((volume) => mountOf(volume, image, file, options)),
    ],
    programs: image.programs,
    hosts: networks.hostsOf(name),
  };
}

/** `host`, or `service:NAME`. */
function pidsOf(pid: string | undefined, running: Running): Box['pids'] {
  if (pid === undefined || pid === 'host') return pid ?? 'own';
  const other = startedOf(running, pid.replace(/^service:/, ''));
  return programIn(other.box, other.pid);
}

/** `name:/target[:ro]` or `./path:/target[:ro]`. */
function mountOf(text: string, image: Image, file: ComposeFile, options: ProjectOptions): Mount {
  const [source = '', target = '', mode] = text.split(':');
  const readOnly = mode === 'ro';
  if (source.startsWith('.')) return { source: resolve(dirname(options.file), source), target, readOnly };
  const volume = file.volumes[source];
  if (!volume) throw new Error(`no volume is called ${source}`);
  const folder = join(options.place, 'volumes', source);
  if (!existsSync(folder)) makeVolume(folder, volume.driver_opts?.o, join(image.root, target));
  return { source: folder, target, readOnly };
}

/** A volume in memory has the owner and the mode that its options say, another one those of what it covers in the image. */
function makeVolume(folder: string, options: string | undefined, covered: string): void {
  mkdirSync(folder, { recursive: true });
  const option = (name: string) => new RegExp(`(?:^|,)${name}=(\\d+)`).exec(options ?? '')?.[1] ?? '0';
  if (options !== undefined) {
    chownSync(folder, Number(option('uid')), Number(option('gid')));
    chmodSync(folder, Number.parseInt(option('mode'), 8));
  } else if (existsSync(covered)) {
    const { uid, gid, mode } = statSync(covered);
    chownSync(folder, uid, gid);
    chmodSync(folder, mode & 0o7777);
  }
}

function startProcess(name: string, [command = '', ...args]: string[], log: string, crew: Crew): number {
  return crew.start({ name: `container ${name}`, command, args, log }) ?? 0;
}

async function runToItsEnd(name: string, [command = '', ...args]: string[], log: string): Promise<void> {
  const { output, code } = await outcomeOf(command, args);
  if (code !== 0) throw new Error(`the container ${name} ended with ${code}: ${output} (${log})`);
}

async function untilHealthy(name: string, running: Running): Promise<void> {
  const [how, ...test] = running.file.services[name]?.healthcheck?.test ?? [];
  if (how !== 'CMD') throw new Error(`${name} has no health check of the form CMD`);
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { box, pid } = startedOf(running, name);
    const [program = '', ...args] = enterBox(box, programIn(box, pid), test);
    if ((await outcomeOf(program, args)).code === 0) return;
    if (Date.now() > deadline)
      throw new Error(`${name} is not healthy:\n${readFileSync(logOf(running.options, name))}`);
    await sleep(100);
  }
}

function startedOf({ started }: Running, name: string): { box: Box; pid: number } {
  const found = started.get(name);
  if (!found || found.pid === 0) throw new Error(`${name} is not running`);
  return found;
}

/** With process IDs of its own a container's first process is the child of the one that was started. */
function programIn(box: Box, pid: number): number {
  if (box.pids === 'host') return pid;
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()) || pid;
}

function logOf({ place }: ProjectOptions, service: string): string {
  return join(place, `${service}.log`);
}

/** A container's stdout is its user's own (`/dev/stdout` is opened anew by Envoy). */
function prepareLog(path: string, user: string): void {
  closeSync(openSync(path, 'a', 0o600));
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  chownSync(path, uid, gid);
}

async function outcomeOf(
  command: string,
  args: readonly string[],
): Promise<{ output: string; code: number }> {
  try {
    const { stdout, stderr } = await run(command, args, { timeout: 60_000 });
    return { output: stdout + stderr, code: 0 };
  } catch (error) {
    const { stdout = '', stderr = '', code } = error as { stdout?: string; stderr?: string; code?: number };
    return { output: stdout + stderr, code: typeof code === 'number' ? code : 1 };
  }
}
