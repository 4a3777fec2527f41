import { fault } from '../base/faults/fault.js';
import type { Database } from './database.js';
import { schema } from './schema.js';
import { integerOf, textOf } from './unit.js';

/**
 * Brings the database to the schema of this program, each step whole or not at all, and checks that it belongs to
 * `trustDomain`. `epoch` marks a new database: positions of one epoch mean nothing in another. It always writes, so a disk
 * that cannot be written is found now. Throws STO0104, STO0105.
 */
export function migrate(database: Database, { trustDomain, epoch, path }: Belonging): void {
  database.exec('begin immediate');
  try {
    database.exec(
      'create table if not exists migrations (version integer primary key, applied_at text not null) strict',
    );
    const [row] = database.all(['select coalesce(max(version), 0) as version from migrations', []]);
    const version = row ? integerOf(row, 'version') : 0;
    if (version > schema.length) throw fault('STO0105', { path, version, known: schema.length });
    for (const [index, statements] of schema.entries()) {
      if (index < version) continue;
      for (const sql of statements) database.exec(sql);
      database.all([
        'insert into migrations (version, applied_at) values (?, ?)',
        [index + 1, new Date().toISOString()],
      ]);
    }
    database.all(["insert into meta (key, value) values ('epoch', ?) on conflict (key) do nothing", [epoch]]);
    database.all([
      "insert into meta (key, value) values ('trust-domain', ?) on conflict (key) do nothing",
      [trustDomain],
    ]);
    database.all([
      `insert into meta (key, value) values ('opened-at', ?) on conflict (key) do update set value = excluded.value`,
      [new Date().toISOString()],
    ]);
    checkOwner(database, trustDomain, path);
    database.exec('commit');
  } catch (error) {
    if (database.inTransaction()) database.exec('rollback');
    throw error;
  }
}

export interface Belonging {
  trustDomain: string;
  epoch: string;
  path: string;
}

function checkOwner(database: Database, trustDomain: string, path: string): void {
  const [row] = database.all(["select value from meta where key = 'trust-domain'", []]);
  const found = row ? textOf(row, 'value') : '';
  if (found !== trustDomain) throw fault('STO0104', { path, found, trustDomain });
}
