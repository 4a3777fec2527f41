import { readFileSync } from 'node:fs';
import { fault } from '../../../base/faults/fault.js';

/** The container that a process runs in, as its control groups say. */
export interface ContainerPlace {
  /** 64 hexadecimal digits. */
  readonly containerId: string;
  /** Of the Kubernetes pod around it, where the path says so. */
  readonly podUid: string | undefined;
  /** The group's path up to and with the container ID, as the agent sees it. */
  readonly group: string;
}

/**
 * Finds the container of a process by the IDs in the paths of its control groups, v1 and v2, with SPIRE's rules: the last
 * container ID of a path counts, the pod's UID before it, a path with a pod overrides one without. `undefined` for a process
 * in no container.
 *
 * Only `/proc/<pid>/cgroup` is read, never `/proc/<pid>/mountinfo`, which SPIRE 1.13 looks at first: there any user can show
 * the group of any container, by mounting it in a user namespace of his own. What looks like one pod within another, or lies
 * below a user's own service manager (who may make groups of any name), is refused.
 * Throws ATT0103 when the process cannot be looked at, ATT0106 when its groups do not name one container.
 */
export function containerOf(proc: string, pid: number): ContainerPlace | undefined {
  let found: ContainerPlace | undefined;
  for (const path of groupsOf(proc, pid)) {
    const place = placeIn(path, pid);
    if (!place || (found?.podUid !== undefined && place.podUid === undefined)) continue;
    const overrides = !found || (found.podUid === undefined && place.podUid !== undefined);
    if (overrides) found = place;
    else if (found && !isSamePlace(found, place)) throw contradiction(pid, 'they name several');
  }
  return found;
}

/** Whether a process is in that very container now, or in none; never throws. */
export function isIn(place: ContainerPlace | undefined, proc: string, pid: number): boolean {
  try {
    const now = containerOf(proc, pid);
    return isSamePlace(place, now) && place?.group === now?.group;
  } catch {
    return false;
  }
}

function isSamePlace(one: ContainerPlace | undefined, other: ContainerPlace | undefined): boolean {
  return one?.containerId === other?.containerId && one?.podUid === other?.podUid;
}

/** Lines of cgroups(7): `hierarchy:controllers:path`. */
function groupsOf(proc: string, pid: number): string[] {
  let text: string;
  try {
    text = readFileSync(`${proc}/${pid}/cgroup`, 'utf8');
  } catch (cause) {
    throw fault('ATT0103', { pid }, { cause });
  }
  return text.split('\n').flatMap((line) => /^\d+:[^:]*:(\/.*)$/.exec(line)?.[1] ?? []);
}

const containerId = /\b[0-9a-f]{64}\b/g;
/** systemd's names have underscores instead of dashes. */
const podUid = /\bpod([0-9a-f]{8}([-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})\b/g;
const usersOwn = /\/user@\d+\.service\//;

function placeIn(path: string, pid: number): ContainerPlace | undefined {
  const id = [...path.matchAll(containerId)].at(-1);
  if (!id) return undefined;
  const before = path.slice(0, id.index);
  const [pod, ...others] = [...before.matchAll(podUid)].map(([, uid = '']) => uid.replaceAll('_', '-'));
  if (others.length > 0) throw contradiction(pid, 'they name a pod within a pod');
  if (pod !== undefined && usersOwn.test(path)) throw contradiction(pid, 'a user may have made them');
  return { containerId: id[0], podUid: pod, group: before + id[0] };
}

function contradiction(pid: number, problem: string) {
  return fault('ATT0106', { pid, problem });
}
