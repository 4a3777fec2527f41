import { textOf, type Work } from './unit.js';

/** What a store says of itself. */
type MetaKey = 'epoch' | 'trust-domain' | 'opened-at' | 'checked-at' | 'restored-at' | 'bundle-hash';

export function* metaText(key: MetaKey): Work<string | undefined> {
  const [row] = yield ['select value from meta where key = ?', [key]];
  return row && textOf(row, 'value');
}

export function* setMeta(key: MetaKey, value: string): Work<void> {
  yield [
    `insert into meta (key, value) values (?, ?)
       on conflict (key) do update set value = excluded.value`,
    [key, value],
  ];
}

/** Leaves what is there already. */
export function* setMetaOnce(key: MetaKey, value: string): Work<void> {
  yield ['insert into meta (key, value) values (?, ?) on conflict (key) do nothing', [key, value]];
}
