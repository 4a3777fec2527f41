import { fault } from '../base/faults/fault.js';
import { metaText, setMeta, setMetaOnce } from './meta.js';
import { schema } from './schema.js';
import { integerOf, type Work } from './unit.js';

/**
 * Brings a database to the schema of this program and checks that it belongs to `trustDomain`; in one transaction that
 * nobody else's runs beside. `epoch` marks a new database: positions of one epoch mean nothing in another. It always writes,
 * so a database that cannot be written is found now. Throws STO0104, STO0105.
 */
export function* migrate({ trustDomain, epoch, path }: Belonging): Work<void> {
  yield [
    'create table if not exists migrations (version integer primary key, applied_at text not null) strict',
    [],
  ];
  const [row] = yield ['select coalesce(max(version), 0) as version from migrations', []];
  const version = row ? integerOf(row, 'version') : 0;
  if (version > schema.length) throw fault('STO0105', { path, version, known: schema.length });
  for (const [index, statements] of schema.entries()) {
    if (index < version) continue;
    for (const sql of statements) yield [sql, []];
    yield [
      'insert into migrations (version, applied_at) values (?, ?)',
      [index + 1, new Date().toISOString()],
    ];
  }
  yield* setMetaOnce('epoch', epoch);
  yield* setMetaOnce('trust-domain', trustDomain);
  yield* setMeta('opened-at', new Date().toISOString());
  const found = (yield* metaText('trust-domain')) ?? '';
  if (found !== trustDomain) throw fault('STO0104', { path, found, trustDomain });
}

export interface Belonging {
  trustDomain: string;
  epoch: string;
  /** Of the database, for what it throws: a file or an address. */
  path: string;
}
