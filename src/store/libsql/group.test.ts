import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Work } from '../unit.js';
import { type Database, openDatabase } from './database.js';
import { runGroup } from './group.js';

function memory(): Database {
  const database = openDatabase(':memory:');
  database.exec('create table t (a integer primary key) strict');
  return database;
}

const rows = (database: Database) => database.all(['select a from t order by a', []]).map((row) => row.a);

function* insert(a: number): Work<number> {
  yield ['insert into t (a) values (?)', [a]];
  return a;
}

test('the units of a group are committed together, each with its own result', () => {
  const database = memory();
  const outcomes = runGroup(database, [() => insert(1), () => insert(2)]);
  assert.deepEqual(outcomes, [
    { ok: true, value: 1 },
    { ok: true, value: 2 },
  ]);
  assert.deepEqual(rows(database), [1, 2]);
  assert.equal(database.inTransaction(), false);
});

test('a unit that fails leaves nothing behind and does not touch the others', () => {
  const database = memory();
  function* half(): Work<void> {
    yield* insert(2);
    yield* insert(1);
  }
  const outcomes = runGroup(database, [() => insert(1), half, () => insert(3)]);
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [true, false, true],
  );
  assert.deepEqual(rows(database), [1, 3]);
});

test('when the transaction is gone, every unit of the group fails and nothing of it stays', () => {
  // What SQLite does by itself on a full disk, done here by a unit.
  const database = memory();
  function* full(): Work<void> {
    yield ['rollback', []];
    throw new Error('database or disk is full');
  }
  const outcomes = runGroup(database, [() => insert(1), full, () => insert(2)]);
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [false, false, false],
  );
  assert.deepEqual(rows(database), []);
});

test('a commit that fails fails every unit', () => {
  const database = memory();
  const broken: Database = {
    ...database,
    exec: (sql) => {
      if (sql === 'commit') throw new Error('disk I/O error');
      database.exec(sql);
    },
  };
  assert.deepEqual(
    runGroup(broken, [() => insert(1), () => insert(2)]).map(({ ok }) => ok),
    [false, false],
  );
  assert.deepEqual(rows(database), []);
  assert.equal(database.inTransaction(), false);
});

test('a full disk is survived: the group fails as a whole and the next one works', () => {
  const database = memory();
  database.exec('create table big (b text) strict');
  database.exec('pragma max_page_count = 12');
  function* fill(): Work<void> {
    for (let i = 0; i < 100; i++) yield ['insert into big (b) values (?)', ['x'.repeat(4000)]];
  }
  const [first, second] = runGroup(database, [() => insert(1), fill]);
  assert.equal(second?.ok, false);
  // Whether SQLite kept the transaction or not: what was reported is what is there.
  assert.deepEqual(rows(database), first?.ok ? [1] : []);
  assert.equal(runGroup(database, [() => insert(5)])[0]?.ok, true);
  assert.deepEqual(rows(database), first?.ok ? [1, 5] : [5]);
});
