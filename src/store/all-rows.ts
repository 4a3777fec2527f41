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
