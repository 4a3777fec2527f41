import { readdirSync, readFileSync, statSync } from 'node:fs';

/**
 * Users that nobody else is, one for each service: numbers without an account and without a process. `undefined` when this
 * process may not run programs as other users: it is not root, or root only of a container that has no such users.
 */
export function serviceUsers(count: number): number[] | undefined {
  if (process.getuid?.() !== 0 || !hasCapabilities()) return undefined;
  const taken = new Set([...usersOfAccounts(), ...usersOfProcesses()]);
  const free = candidates().filter((user) => !taken.has(user) && isMapped(user));
  return free.length < count ? undefined : free.slice(0, count);
}

/** Between the accounts of people and those that systemd makes by itself. */
const first = 60_600;
const last = 61_100;

/** Two runs that start at the same moment begin at different places. */
function candidates(): number[] {
  const start = (process.pid * 7) % (last - first);
  return Array.from({ length: last - first }, (_, index) => first + ((start + index) % (last - first)));
}

/** CHOWN 0, DAC_OVERRIDE 1, KILL 5, SETGID 6, SETUID 7 (linux/capability.h). */
const needed = 0b1110_0011n;

function hasCapabilities(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(textOf('/proc/self/status'))?.[1];
  return effective !== undefined && (BigInt(`0x${effective}`) & needed) === needed;
}

/** Each line of uid_map: first user inside, first user outside, how many (user_namespaces(7)). */
function isMapped(user: number): boolean {
  const lines = textOf('/proc/self/uid_map').trim().split('\n');
  return lines.some((line) => {
    const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return user >= inside && user < inside + count;
  });
}

function usersOfAccounts(): number[] {
  return textOf('/etc/passwd')
    .split('\n')
    .map((line) => Number(line.split(':')[2]));
}

function usersOfProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statSync(`/proc/${name}`, { throwIfNoEntry: false })?.uid ?? []);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
