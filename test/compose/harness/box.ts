import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A command in surroundings like those of a container: a root of its own made with pivot_root(2), mounts and process IDs of its
 * own, a network namespace or the host's network, one user, no capabilities. In the place of a base
 * image stand this machine's own programs (/usr), read-only.
 */
export interface Box {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** `uid:gid` in numbers. */
  readonly user: string;
  /** The name of a network namespace; left out: the host's network. */
  readonly network?: string;
  /** Its own process IDs, those of the host, or those that the process with this ID sees. */
  readonly pids: 'own' | 'host' | number;
  readonly readOnly: boolean;
  /** Drops every capability and the way to new ones. */
  readonly confined: boolean;
  readonly mounts: readonly Mount[];
  /** Programs that the base image would have in /usr/local/bin, by name. */
  readonly programs: Readonly<Record<string, string>>;
  readonly hosts?: string;
  readonly resolvConf?: boolean;
}

export interface Mount {
  readonly source: string;
  /** Absolute, as the box sees it. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** The command and arguments that open the box; `place` is an empty folder that it needs while it lives. */
export function openBox(box: Box, place: string): string[] {
  mkdirSync(place, { recursive: true });
  const unshare = ['unshare', '--mount', '--ipc', '--uts'];
  if (box.pids === 'own') unshare.push('--pid', '--fork', '--kill-child=KILL');
  const network = box.network ? ['nsenter', `--net=/run/netns/${box.network}`] : [];
  const pids = typeof box.pids === 'number' ? ['nsenter', `--target=${box.pids}`, '--pid'] : [];
  return [...network, ...pids, ...unshare, 'sh', '-c', script(box, place)];
}

/** The command and arguments that run something more in a box that is open: `pid` is that of its first process. */
export function enterBox(box: Box, pid: number, command: readonly string[], user = box.user): string[] {
  const spaces = [
    '--mount',
    '--ipc',
    '--uts',
    ...(box.pids === 'host' ? [] : ['--pid']),
    ...(box.network ? ['--net'] : []),
  ];
  return ['nsenter', `--target=${pid}`, ...spaces, ...asUser(box, user), ...cleanEnv(box), ...command];
}

function script(box: Box, root: string): string {
  const lines = [
    'set -eu',
    'mount --make-rprivate /',
    `mount -t tmpfs -o mode=0755 tmpfs ${quote(root)}`,
    ...baseMounts(box, root),
    ...[...box.mounts].sort(byTarget).flatMap((mount) => bind(mount, root)),
    `cd ${quote(root)}`,
    'mkdir .old',
    'pivot_root . .old',
    'umount -l /.old',
    'rmdir /.old',
    ...(box.readOnly ? ['mount -o remount,ro /'] : []),
    `cd ${quote(box.cwd)}`,
    `exec ${[...asUser(box, box.user), ...cleanEnv(box), ...box.command].map(quote).join(' ')}`,
  ];
  return lines.join('\n');
}

function asUser({ confined }: Box, user: string): string[] {
  const [uid, gid] = user.split(':');
  const nothing = ['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs'];
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...(confined ? nothing : [])];
}

function cleanEnv({ env }: Box): string[] {
  return ['env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
}

function byTarget(a: Mount, b: Mount): number {
  return a.target < b.target ? -1 : 1;
}

/** /usr but for /usr/local/bin, which holds what the base image would; the usual few devices; /proc; a minimal /etc. */
function baseMounts({ programs, hosts, resolvConf }: Box, root: string): string[] {
  const usr = children('/usr', ['local']).concat(children('/usr/local', ['bin']));
  const top = ['/bin', '/sbin', '/lib', '/lib64'].filter((path) => existsSync(path));
  const etc = [
    '/etc/ssl',
    '/etc/passwd',
    '/etc/group',
    '/etc/ld.so.cache',
    ...(resolvConf ? ['/etc/resolv.conf'] : []),
  ];
  const shown = [...usr, ...top, ...etc].filter((path) => existsSync(path));
  const devices = ['null', 'zero', 'full', 'random', 'urandom'].map((name) => `/dev/${name}`);
  return [
    ...shown.flatMap((path) => showHosts(path, root)),
    ...Object.entries(programs).flatMap(([name, source]) =>
      bind({ source, target: `/usr/local/bin/${name}`, readOnly: true }, root),
    ),
    ...devices.flatMap((path) => bind({ source: path, target: path, readOnly: false }, root)),
    ...['fd', 'fd/0 stdin', 'fd/1 stdout', 'fd/2 stderr'].map((link) => {
      const [to, name = to] = link.split(' ');
      return `ln -s /proc/self/${to} ${quote(`${root}/dev/${name}`)}`;
    }),
    `printf '%s' ${quote(`127.0.0.1 localhost\n${hosts ?? ''}`)} > ${quote(`${root}/etc/hosts`)}`,
    `echo 'hosts: files dns' > ${quote(`${root}/etc/nsswitch.conf`)}`,
    `mkdir -p ${['proc', 'tmp', 'var', 'run', 'root'].map((name) => quote(`${root}/${name}`)).join(' ')}`,
    `chmod 1777 ${quote(`${root}/tmp`)}`,
    `mount -t proc proc ${quote(`${root}/proc`)}`,
  ];
}

function children(folder: string, except: readonly string[]): string[] {
  return readdirSync(folder)
    .filter((name) => !except.includes(name))
    .map((name) => join(folder, name));
}

/** Read-only, and as a link where the host has one. */
function showHosts(path: string, root: string): string[] {
  if (!lstatSync(path).isSymbolicLink()) return bind({ source: path, target: path, readOnly: true }, root);
  return [
    `mkdir -p ${quote(root + dirname(path))}`,
    `ln -s ${quote(readlinkSync(path))} ${quote(root + path)}`,
  ];
}

function bind({ source, target, readOnly }: Mount, root: string): string[] {
  const to = quote(root + target);
  const file = `mkdir -p ${quote(root + dirname(target))}; [ -e ${to} ] || : > ${to}`;
  const make = statSync(source).isDirectory() ? `mkdir -p ${to}` : file;
  return [
    make,
    `mount --bind ${quote(source)} ${to}`,
    ...(readOnly ? [`mount -o remount,bind,ro ${to}`] : []),
  ];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
