import { lstatSync, mkdirSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { fault } from '../base/faults/fault.js';

/** `sockaddr_un` has 108 bytes, one of which ends the string; Node cuts a longer path off without a word. */
const maxPathBytes = 107;

/**
 * Makes room for a unix socket at `path`. A socket that nobody listens on any more is removed; nothing else ever is, and no
 * link is followed. The folder is made (0755) if there is none, and refused if others could replace what lies in it.
 * Bind in the same turn: what was true here is true until something else runs.
 * Throws TRN0104 (too long), TRN0105 (folder), TRN0106 (not a socket), TRN0107 (in use).
 */
export async function clearSocketPath(path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > maxPathBytes) throw fault('TRN0104', { path, bytes, limit: maxPathBytes });
  checkFolder(dirname(path));
  const there = statOf(path);
  if (!there) return;
  if (!there.isSocket()) throw fault('TRN0106', { path });
  if (await somebodyListens(path)) throw fault('TRN0107', { path });
  const still = statOf(path);
  if (!still) return;
  // Another process of ours may have taken the path over while we were asking.
  if (still.ino !== there.ino || still.dev !== there.dev) throw fault('TRN0107', { path });
  unlinkSync(path);
}

function checkFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const { uid, mode } = statSync(folder);
    const others = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
    if (!others && (uid === 0 || uid === process.getuid?.())) return;
  } catch (cause) {
    throw fault('TRN0105', { folder }, { cause });
  }
  throw fault('TRN0105', { folder });
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Only a refused connection proves that nobody does. */
function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
