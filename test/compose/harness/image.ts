import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Box, type Mount, openBox } from './box.js';

const run = promisify(execFile);

/** What a Dockerfile's last stage makes: a folder with what it adds to its base image, and how its containers start. */
export interface Image {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly user: string;
  readonly cwd: string;
  readonly programs: Readonly<Record<string, string>>;
}

/**
 * Runs the steps of a Dockerfile, with this machine's own Node, npm and shell in the place of the base image. Knows the
 * instructions that ours has; another one is an error.
 */
export async function buildImage(dockerfile: string, context: string, place: string): Promise<Image> {
  const ignored = readFileSync(`${dockerfile}.dockerignore`, 'utf8').trim().split('\n');
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const { word, rest } of instructionsOf(readFileSync(dockerfile, 'utf8'))) {
    if (word === 'FROM') {
      const name = / AS (\S+)$/.exec(rest)?.[1] ?? 'last';
      stage = newStage(join(place, name));
      stages.set(name, stage);
      continue;
    }
    if (!stage) throw new Error(`${word} before FROM`);
    if (word === 'COPY') copy(rest, stage, stages, context, ignored);
    else if (word === 'RUN') await runStep(rest, stage, join(place, 'box'));
    else configure(word, rest, stage);
  }
  if (!stage) throw new Error(`no FROM in ${dockerfile}`);
  return stage;
}

interface Stage extends Image {
  env: Record<string, string>;
  entrypoint: string[];
  user: string;
  cwd: string;
}

const npm = resolve(process.execPath, '../../lib/node_modules/npm');

function newStage(root: string): Stage {
  // The folders that a base image has and that the steps write to.
  for (const name of ['opt', 'var', 'src', 'root']) mkdirSync(join(root, name), { recursive: true });
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' };
  return { root, env, entrypoint: [], user: '0:0', cwd: '/', programs: { node: process.execPath } };
}

/** One instruction a line; `\` at the end of a line joins the next one. */
function instructionsOf(text: string): { word: string; rest: string }[] {
  return text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { word, rest };
    });
}

function configure(word: string, rest: string, stage: Stage): void {
  if (word === 'WORKDIR') {
    stage.cwd = rest;
    mkdirSync(join(stage.root, rest), { recursive: true });
  } else if (word === 'ENV') {
    const [, name = '', value = ''] = /^([A-Z_]+)=(\S+)$/.exec(rest) ?? [];
    stage.env[name] = value.replace(`$${name}`, stage.env[name] ?? '');
  } else if (word === 'USER') {
    stage.user = rest;
  } else if (word === 'ENTRYPOINT') {
    stage.entrypoint = JSON.parse(rest) as string[];
  } else {
    throw new Error(`this test does not know the instruction ${word}`);
  }
}

function copy(
  rest: string,
  stage: Stage,
  stages: ReadonlyMap<string, Stage>,
  context: string,
  ignored: readonly string[],
): void {
  const [, from, source = '', target = ''] = /^(?:--from=(\S+) )?(\S+) (\S+)$/.exec(rest) ?? [];
  const base = from === undefined ? context : stages.get(from)?.root;
  if (base === undefined) throw new Error(`COPY ${rest}`);
  const to = join(stage.root, stage.cwd, target);
  for (const path of source === '.' ? topOf(base, ignored) : [join(base, source)]) {
    // Into a folder when the target ends in a slash or is the working folder itself, as docker does.
    const into = source === '.' || target.endsWith('/');
    cpSync(path, into ? join(to, basename(path)) : to, { recursive: true, verbatimSymlinks: true });
  }
}

function topOf(context: string, ignored: readonly string[]): string[] {
  return readdirSync(context)
    .filter((name) => !ignored.includes(name))
    .map((name) => join(context, name));
}

/** With the network and the npm settings of this machine, as `docker build` would have those of its own. */
async function runStep(command: string, stage: Stage, place: string): Promise<void> {
  const npmCommand = `${place}-npm`;
  writeFileSync(npmCommand, `#!/bin/sh\nexec node ${npm}/bin/npm-cli.js "$@"\n`, { mode: 0o755 });
  const box: Box = {
    ...stage,
    programs: { ...stage.programs, npm: npmCommand },
    command: ['sh', '-c', command],
    env: { ...stage.env, ...settingsOfNpm() },
    pids: 'own',
    readOnly: false,
    confined: false,
    mounts: [...layersOf(stage, false), ...filesOfNpm()],
    resolvConf: true,
  };
  const [program = '', ...args] = openBox(box, place);
  await run(program, args, { maxBuffer: 1 << 26 }).catch((error: { stdout?: string; stderr?: string }) => {
    throw new Error(`RUN ${command}\n${error.stdout ?? ''}${error.stderr ?? error}`);
  });
}

const certificates = process.env.NODE_EXTRA_CA_CERTS;

function settingsOfNpm(): Record<string, string> {
  const isSetting = (name: string) =>
    /^(npm_config_|https?_proxy$|no_proxy$|NODE_EXTRA_CA_CERTS$)/i.test(name);
  const settings = Object.entries(process.env).filter(([name]) => isSetting(name));
  return Object.fromEntries(settings.map(([name, value]) => [name, value ?? '']));
}

function filesOfNpm(): Mount[] {
  const own = ['.npm', '.npmrc'].map((name) => ({ source: join(homedir(), name), target: `/root/${name}` }));
  const same = [...(certificates ? [certificates] : []), ...(npm.startsWith('/usr/') ? [] : [npm])];
  return [...own, ...same.map((path) => ({ source: path, target: path }))]
    .filter(({ source }) => existsSync(source))
    .map((mount) => ({ ...mount, readOnly: false }));
}

/** The folders that an image adds, as mounts. */
export function layersOf({ root }: Image, readOnly: boolean): Box['mounts'] {
  return readdirSync(root).map((name) => ({ source: join(root, name), target: `/${name}`, readOnly }));
}
