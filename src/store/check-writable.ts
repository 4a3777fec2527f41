import type { Work } from './unit.js';

/** Writes something that nobody reads. `now` in milliseconds since the Unix epoch. */
export function* checkWritable(now: number): Work<undefined> {
  yield [
    `insert into meta (key, value) values ('checked-at', ?)
       on conflict (key) do update set value = excluded.value`,
    [String(now)],
  ];
  return undefined;
}
