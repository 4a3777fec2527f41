import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Fault, fault } from '../../base/faults/fault.js';
import { accessOf, anyAccessOfOthers, isOpenToOthers, systemErrorCode } from '../../disk/private-file.js';
import { type BackupHeader, digestSize, formatVersion, maxHeadSize, readHead } from './format.js';

/** A backup all of whose bytes were found to be those that were written. */
export interface CheckedBackup {
  readonly header: BackupHeader;
  /** Bytes of the whole file. */
  readonly size: number;
  /** The database; nothing when there is none in it. */
  database(): AsyncIterable<Uint8Array>;
  /** PEM. **Secret.** */
  authorities(): Promise<string>;
  close(): Promise<void>;
}

/**
 * Opens a backup and checks all of it, first of all against its digest. That finds what got broken, not what somebody changed on
 * purpose: a backup is as trustworthy as the place where it was kept. Throws STO0501 to STO0503, STO0505, STO0507.
 */
export async function openBackup(path: string): Promise<CheckedBackup> {
  try {
    const file = await open(path, constants.O_RDONLY);
    try {
      return await checked(file, path);
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (cause) {
    const code = systemErrorCode(cause);
    throw code === undefined || cause instanceof Fault ? cause : fault('STO0507', { path, code }, { cause });
  }
}

async function checked(file: FileHandle, path: string): Promise<CheckedBackup> {
  const stats = await file.stat();
  if (isOpenToOthers(stats, anyAccessOfOthers)) {
    throw fault('STO0505', { path, ...accessOf(stats) });
  }
  const { buffer, bytesRead } = await file.read(Buffer.alloc(maxHeadSize), 0, maxHeadSize, 0);
  const head = readHead(buffer.subarray(0, bytesRead));
  if (head.kind === 'none') throw fault('STO0501', { path });
  if (head.kind === 'newer') {
    throw fault('STO0503', { path, what: 'format', version: head.version, known: formatVersion });
  }
  const { header, size: headSize } = head;
  const databaseEnd = headSize + (header.database?.size ?? 0);
  const end = databaseEnd + header.authoritiesSize;
  const expected = end + digestSize;
  if (stats.size !== expected) {
    throw fault('STO0502', { path, problem: `it has ${stats.size} bytes, not ${expected}` });
  }
  await checkDigest(file, end, path);
  return {
    header,
    size: stats.size,
    database: () => bytesOf(file, headSize, databaseEnd),
    authorities: async () => (await allOf(bytesOf(file, databaseEnd, end))).toString(),
    close: () => file.close(),
  };
}

async function checkDigest(file: FileHandle, end: number, path: string): Promise<void> {
  const digest = createHash('sha256');
  for await (const bytes of bytesOf(file, 0, end)) digest.update(bytes);
  const written = Buffer.alloc(digestSize);
  await file.read(written, 0, digestSize, end);
  if (!digest.digest().equals(written)) {
    throw fault('STO0502', { path, problem: 'its checksum does not fit its contents' });
  }
}

async function allOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const bytes of chunks) all.push(bytes);
  return Buffer.concat(all);
}

const chunkSize = 256 * 1024;

async function* bytesOf(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; ) {
    const length = Math.min(chunkSize, end - at);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
    if (bytesRead === 0) throw new Error('a backup became shorter while it was read');
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
