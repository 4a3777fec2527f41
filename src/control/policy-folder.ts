import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '../base/digest.js';
import { fault } from '../base/faults/fault.js';
import type { PolicyFile } from '../policy/language/policy-file.js';
import { libc } from '../transport/libc.js';

/** What one look at a policy folder found. */
export type Reading =
  | {
      readonly kind: 'settled';
      /** By name. */
      readonly files: readonly PolicyFile[];
      /** Equal for equal names and contents. */
      readonly fingerprint: string;
      /** Whether it is certain that no process had one of the files open for writing. */
      readonly certain: boolean;
      /** The folders that were read, to be watched. */
      readonly folders: readonly string[];
    }
  | { readonly kind: 'unsettled'; readonly folders: readonly string[] };

const maxFiles = 1000;
const maxFileBytes = 1 << 20;
const maxTotalBytes = 16 << 20;
const maxDepth = 8;

/**
 * Reads all `*.yaml` and `*.yml` under a folder as one snapshot. Every file is held by a lease while all are read, so that
 * nobody has one open for writing; afterwards the folder is looked at once more, and what it names must be the very files
 * that were read. Otherwise the answer is `unsettled`: look again soon. Hidden files and folders are skipped (`..data` of
 * Kubernetes, editors' own), links to files are followed, links to folders refused. Throws CTL01xx.
 */
export function readPolicyFolder(folder: string): Reading {
  const listing = list(folder);
  if (listing.files.length === 0) throw fault('CTL0102', { folder });
  const opened: OpenFile[] = [];
  try {
    for (const name of listing.files) {
      const file = open(folder, name);
      if (file) opened.push(file);
      if (!file || file.lease === 'written') return { kind: 'unsettled', folders: listing.folders };
    }
    const read = opened.map((file) => ({ file, bytes: readFileSync(file.fd) }));
    if (!isUnchanged(folder, listing, opened)) return { kind: 'unsettled', folders: listing.folders };
    if (read.reduce((total, { bytes }) => total + bytes.length, 0) > maxTotalBytes) {
      throw fault('CTL0103', { folder, problem: `its files have more than ${maxTotalBytes} bytes together` });
    }
    return {
      kind: 'settled',
      files: read.map(({ file, bytes }) => ({
        name: file.name,
        path: file.name,
        text: textOf(file.name, bytes),
      })),
      fingerprint: sha256Hex(
        ...read.flatMap(({ file, bytes }) => [`${file.name}\0${bytes.length}\0`, bytes]),
      ),
      certain: opened.every(({ lease }) => lease === 'held'),
      folders: listing.folders,
    };
  } finally {
    for (const { fd } of opened) closeSync(fd);
  }
}

interface Listing {
  /** Relative to the folder, sorted. */
  readonly files: readonly string[];
  /** Absolute or as the folder was given, the folder itself first. */
  readonly folders: readonly string[];
}

function list(root: string): Listing {
  const files: string[] = [];
  const folders: string[] = [];
  const visit = (folder: string, prefix: string, depth: number): void => {
    if (depth > maxDepth)
      throw fault('CTL0103', { folder: root, problem: `it nests more than ${maxDepth} folders deep` });
    folders.push(folder);
    for (const entry of entriesOf(folder)) {
      if (entry.name.startsWith('.')) continue;
      const name = `${prefix}${entry.name}`;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path, `${name}/`, depth + 1);
      else if (/\.ya?ml$/i.test(entry.name)) files.push(name);
      else if (entry.isSymbolicLink() && leadsToFolder(path)) {
        throw fault('CTL0104', { path, problem: 'is a link to a folder' });
      }
    }
    if (files.length > maxFiles)
      throw fault('CTL0103', { folder: root, problem: `it has more than ${maxFiles} files` });
  };
  visit(root, '', 1);
  return { files: files.sort(), folders };
}

/** Following it could go round in circles; passing over it would lose rules without a word. */
function leadsToFolder(link: string): boolean {
  return statSync(link, { throwIfNoEntry: false })?.isDirectory() === true;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw fault('CTL0101', { path: folder, reason: codeOf(cause) }, { cause });
  }
}

interface OpenFile {
  readonly name: string;
  readonly fd: number;
  readonly stat: BigIntStats;
  /** `impossible`: this user may take no lease on it, or the file system has none. */
  readonly lease: 'held' | 'written' | 'impossible';
}

/** `undefined` for a file that has gone since it was listed. Never waits: a FIFO of that name is refused. */
function open(folder: string, name: string): OpenFile | undefined {
  const path = join(folder, name);
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return;
    throw fault('CTL0101', { path, reason: codeOf(cause) }, { cause });
  }
  const stat = fstatSync(fd, { bigint: true });
  const problem = !stat.isFile()
    ? 'is no file'
    : stat.size > maxFileBytes
      ? `has more than ${maxFileBytes} bytes`
      : undefined;
  if (problem !== undefined) {
    closeSync(fd);
    throw fault('CTL0104', { path, problem });
  }
  return { name, fd, stat, lease: lease(fd) };
}

function lease(fd: number): OpenFile['lease'] {
  if (process.platform !== 'linux') return 'impossible';
  const error = libc().leaseForReading(fd);
  if (error === 0) return 'held';
  return error === osConstants.errno.EAGAIN ? 'written' : 'impossible';
}

/** Whether the folder still names exactly the files that are open, and none has changed since it was opened. */
function isUnchanged(folder: string, before: Listing, opened: readonly OpenFile[]): boolean {
  const { files } = list(folder);
  if (files.join('\0') !== before.files.join('\0')) return false;
  return opened.every(({ name, fd, stat }) => {
    const now = fstatSync(fd, { bigint: true });
    const named = statSync(join(folder, name), { bigint: true, throwIfNoEntry: false });
    return named !== undefined && isSame(stat, now) && isSame(now, named);
  });
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.dev === b.dev &&
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  );
}

function textOf(name: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw fault('CTL0104', { path: name, problem: 'is not UTF-8 text' }, { cause });
  }
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}

/** Changes whenever a file is added, removed, replaced or written; costs no reading. `undefined` when it cannot be told. */
export function folderSignature(folder: string): string | undefined {
  try {
    const stats = list(folder).files.map(
      (name) => [name, statSync(join(folder, name), { bigint: true, throwIfNoEntry: false })] as const,
    );
    return stats
      .map(
        ([name, stat]) =>
          `${name}\0${stat?.dev}\0${stat?.ino}\0${stat?.size}\0${stat?.mtimeNs}\0${stat?.ctimeNs}`,
      )
      .join('\n');
  } catch {
    return;
  }
}
