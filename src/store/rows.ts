import type { StoreEvent } from '../server/ports.js';
import { type Row, textOf, type Work } from './unit.js';

/** So many at a time that no statement takes long. */
const pageSize = 5000;

/** Every row of a table, in the order of its IDs. */
export function* allRows(table: 'entries' | 'agents'): Work<Row[]> {
  const rows: Row[] = [];
  let last = '';
  for (;;) {
    const page = yield [`select * from ${table} where id > ? order by id limit ${pageSize}`, [last]];
    for (const row of page) rows.push(row);
    const end = page.at(-1);
    if (!end || page.length < pageSize) return rows;
    last = textOf(end, 'id');
  }
}

/** Where the objects that events of a kind name are kept, and under which key. */
const kept = {
  entry: { table: 'entries', key: 'id' },
  agent: { table: 'agents', key: 'id' },
  bundle: { table: 'federated_bundles', key: 'trust_domain' },
} as const satisfies Partial<Record<StoreEvent['kind'], object>>;

/** The rows that events from `first` to `last` name and that are still there. */
export function* rowsInEvents(kind: keyof typeof kept, first: number, last: number): Work<readonly Row[]> {
  const { table, key } = kept[kind];
  return yield [
    `select * from ${table}
       where ${key} in (select object_id from events where kind = '${kind}' and position between ? and ?)`,
    [first, last],
  ];
}
