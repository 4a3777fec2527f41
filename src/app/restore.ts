import { mkdirSync, rmSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { Fault, fault } from '../base/faults/fault.js';
import { authoritiesName } from '../ca/authority-file.js';
import { authoritiesFromPem, authoritiesToPem } from '../ca/authority-pem.js';
import type { AuthoritySet } from '../ca/authority-set.js';
import { diskKeys } from '../ca/key-manager.js';
import { systemErrorCode, writePrivateFile } from '../disk/private-file.js';
import { contentsOf, moveAside, moveIn } from '../disk/replace-contents.js';
import type { BackupHeader } from '../server/backup/format.js';
import { type CheckedBackup, openBackup } from '../server/backup/read-backup.js';
import type { TrustDomain } from '../spiffe/id.js';
import { databaseName } from '../store/connect.js';
import type { StoreCounts } from '../store/counts.js';
import { holdDatabase } from '../store/libsql/hold-database.js';
import type { DatabaseSource } from '../store/postgres/target.js';
import { takeOverRestored } from '../store/restored-store.js';
import { schema } from '../store/schema.js';

export interface BackupSettings {
  readonly path: string;
  /** Refuses a backup of another one. */
  readonly trustDomain?: TrustDomain;
  readonly clock: Clock;
}

export interface RestoreSettings extends BackupSettings {
  readonly dataDir: string;
  /** Where the database is that was restored by its own tools, for a backup without one. */
  readonly database?: DatabaseSource;
  /** Moves aside what is in the data directory. */
  readonly force: boolean;
}

export interface BackupContents {
  readonly header: BackupHeader;
  /** Bytes of the file. */
  readonly size: number;
  readonly authorities: AuthoritySet;
  /** Of the database in it, or of the one that was named. */
  readonly counts?: StoreCounts;
}

export interface Restored extends BackupContents {
  /** The folder that has what was in the data directory before. */
  readonly movedTo?: string;
}

/** Checks a backup, by all that a restore does with it short of putting it in place. Throws as `restoreBackup`. */
export async function checkBackup(settings: BackupSettings): Promise<BackupContents> {
  const backup = await openBackupOf(settings);
  const scratch = await mkdtemp(join(tmpdir(), 'plastron-backup-'));
  try {
    return await stage(backup, scratch, settings);
  } finally {
    await rm(scratch, { recursive: true, force: true });
    await backup.close();
  }
}

/**
 * Puts a backup into a data directory that no server uses, for a server that goes on in the place of the lost one. Until
 * everything was checked nothing is touched; after a crash at any moment a server either finds all of it or refuses to start.
 * Throws STO0103, STO05xx, STO02xx, CAS0301.
 */
export async function restoreBackup(settings: RestoreSettings): Promise<Restored> {
  const { dataDir } = settings;
  const backup = await openBackupOf(settings);
  try {
    checkFit(backup, settings);
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const before = contentsOf(dataDir).filter((name) => name !== stagingName);
    const contents = await prepare(backup, before, settings);
    return { ...contents, ...putInPlace(settings, before) };
  } catch (cause) {
    const code = systemErrorCode(cause);
    throw code === undefined || cause instanceof Fault
      ? cause
      : fault('STO0508', { folder: dataDir, code }, { cause });
  } finally {
    await backup.close();
  }
}

/** Leaves all that a backup becomes in a folder in the data directory, ready to be moved. */
async function prepare(
  backup: CheckedBackup,
  before: readonly string[],
  settings: RestoreSettings,
): Promise<BackupContents> {
  const { dataDir, force } = settings;
  const staging = join(dataDir, stagingName);
  const release = holdDatabase(join(dataDir, databaseName));
  try {
    if (before.length > 0 && !force) throw fault('STO0506', { folder: dataDir, names: someOf(before) });
    // Left behind by a crash.
    rmSync(staging, { recursive: true, force: true });
    mkdirSync(staging, { mode: 0o700 });
    try {
      const contents = await stage(backup, staging, settings);
      const counts = await takeOverDatabase(backup.header, settings);
      return { ...contents, ...(counts && { counts }) };
    } catch (error) {
      rmSync(staging, { recursive: true, force: true });
      throw error;
    }
  } finally {
    release();
  }
}

const stagingName = 'restore.new';

async function openBackupOf({ path, trustDomain }: BackupSettings): Promise<CheckedBackup> {
  const backup = await openBackup(path);
  const { header } = backup;
  const version = header.database?.schemaVersion ?? 0;
  try {
    if (version > schema.length)
      throw fault('STO0503', { path, what: 'database', version, known: schema.length });
    if (trustDomain !== undefined && trustDomain !== header.trustDomain) {
      throw fault('STO0504', { path, found: header.trustDomain, trustDomain });
    }
    return backup;
  } catch (error) {
    await backup.close();
    throw error;
  }
}

function checkFit({ header }: CheckedBackup, { path, database }: RestoreSettings): void {
  if (header.database && database) throw fault('STO0510', { path, problem: 'it has a database of its own' });
  if (header.database || database) return;
  throw fault('STO0510', { path, problem: 'its database was in PostgreSQL, and is not in it' });
}

/** Unpacks a backup into a folder as the data directory of a server, and checks that it is one. */
async function stage(
  backup: CheckedBackup,
  folder: string,
  { clock }: BackupSettings,
): Promise<BackupContents> {
  const { header, size } = backup;
  const { trustDomain } = header;
  const authorities = await authoritiesFromPem(trustDomain, diskKeys, await backup.authorities());
  await writePrivateFile(join(folder, authoritiesName), authoritiesToPem(authorities));
  if (!header.database) return { header, size, authorities };
  await writeDatabase(join(folder, databaseName), backup);
  return {
    header,
    size,
    authorities,
    counts: await takeOverRestored({ dataDir: folder, trustDomain, clock }),
  };
}

async function writeDatabase(path: string, backup: CheckedBackup): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const bytes of backup.database()) await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function takeOverDatabase(
  { trustDomain }: BackupHeader,
  { database, dataDir, clock }: RestoreSettings,
): Promise<StoreCounts | undefined> {
  return database && takeOverRestored({ dataDir, database, trustDomain, clock });
}

/**
 * Authorities go first and come last: without them a server that has had some refuses to start (CAS0304), while with them alone
 * it would begin an empty database.
 */
function putInPlace(
  { dataDir, clock }: RestoreSettings,
  before: readonly string[],
): Pick<Restored, 'movedTo'> {
  const aside = `before-restore-${new Date(clock.now()).toISOString().replaceAll(':', '')}`;
  if (before.length > 0) moveAside(dataDir, aside, authoritiesName, stagingName);
  moveIn(dataDir, join(dataDir, stagingName), authoritiesName);
  return before.length > 0 ? { movedTo: join(dataDir, aside) } : {};
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
