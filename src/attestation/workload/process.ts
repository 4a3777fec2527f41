import { type BigIntStats, readFileSync, readlinkSync, statSync } from 'node:fs';
import { TextDecoder } from 'node:util';

/** Effective ids of a process and its supplementary groups, as `/proc/<pid>/status` shows them. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly supplementary: readonly number[];
}

/** Which file a file is: the same values mean the same content, unless its owner forged the times. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** The file that a process runs. */
export interface Executable {
  readonly identity: FileIdentity;
  /** Where the agent finds that very file; `undefined` when no path can be vouched for. */
  readonly path: string | undefined;
  /** Whether its content may be vouched for. */
  readonly hashable: boolean;
}

/** `undefined` when the process is gone or hidden. */
export function readCredentials(proc: string, pid: number): Credentials | undefined {
  const status = orUndefined(() => readFileSync(`${proc}/${pid}/status`, 'latin1'));
  const ids = (field: string): number[] =>
    (new RegExp(`^${field}:([\\d\\t ]*)$`, 'm').exec(status ?? '')?.[1] ?? '')
      .split(/[\t ]+/)
      .filter((word) => word !== '')
      .map(Number);
  // Uid and Gid: real, effective, saved, file system.
  const uid = ids('Uid')[1];
  const gid = ids('Gid')[1];
  return uid === undefined || gid === undefined ? undefined : { uid, gid, supplementary: ids('Groups') };
}

/** `undefined` when it cannot be looked at: a process of another user without CAP_SYS_PTRACE, or a kernel thread. */
export function readExecutable(proc: string, pid: number): Executable | undefined {
  const link = `${proc}/${pid}/exe`;
  const identity = identityOf(link);
  const shown = orUndefined(() => readlinkSync(link, 'buffer'));
  const namespace = (of: number | 'self') => orUndefined(() => readlinkSync(`${proc}/${of}/ns/mnt`));
  const mounts = namespace(pid);
  if (!identity || !shown || mounts === undefined) return undefined;
  const path = livePath(shown);
  if (path === undefined) return { identity, path: undefined, hashable: false };
  if (mounts !== namespace('self')) return { identity, path: undefined, hashable: true };
  const reachable = sameFile(identity, identityOf(path));
  return { identity, path: reachable ? path : undefined, hashable: reachable };
}

/** Cheap enough for every push: one look at the file behind the link. */
export function executableIdentity(proc: string, pid: number): FileIdentity | undefined {
  return identityOf(`${proc}/${pid}/exe`);
}

export function sameFile(one: FileIdentity | undefined, other: FileIdentity | undefined): boolean {
  return (
    one?.dev === other?.dev &&
    one?.ino === other?.ino &&
    one?.size === other?.size &&
    one?.mtimeNs === other?.mtimeNs
  );
}

/**
 * The kernel appends ` (deleted)` to the path of a file that is gone; a file whose name really ends so is not told apart
 * and is refused too. A path that is not UTF-8 is refused: decoding it loosely would let two paths look the same.
 */
function livePath(shown: Buffer): string | undefined {
  const path = orUndefined(() => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(shown));
  return path?.startsWith('/') && !path.endsWith(' (deleted)') ? path : undefined;
}

function identityOf(path: string): FileIdentity | undefined {
  return orUndefined(() => identityFrom(statSync(path, { bigint: true })));
}

function identityFrom({ dev, ino, size, mtimeNs }: BigIntStats): FileIdentity {
  return { dev, ino, size, mtimeNs };
}

/** Everything under `/proc` may vanish or be forbidden at any moment; that is an answer, not an error. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
