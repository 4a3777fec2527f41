import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fault } from '../base/faults/fault.js';
import { createLog, type Log, type LogLevel } from './log.js';

function logToFile(t: TestContext, level: LogLevel): { log: Log; lines: () => Record<string, unknown>[] } {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  const file = join(folder, 'log');
  const fd = openSync(file, 'w');
  t.after(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  const lines = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log: createLog({ level, fd, fields: { role: 'agent' } }), lines };
}

test('a line is one JSON object with level, time, sentence and facts, written at once', (t) => {
  const { log, lines } = logToFile(t, 'info');
  log.child({ pid: 7 }).info({ uid: 0 }, 'a workload connected');
  const [line] = lines();
  assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(
    { ...line, time: 0 },
    { level: 'info', time: 0, role: 'agent', pid: 7, uid: 0, msg: 'a workload connected' },
  );
});

test('a fault is logged with its code, its way out and what caused it', (t) => {
  const { log, lines } = logToFile(t, 'info');
  log.error({ error: fault('IDN0104', { bytes: 300 }, { cause: new Error('deep') }) }, 'refused');
  const error = lines()[0]?.error as Record<string, { message: string }>;
  assert.equal(error.code, 'IDN0104');
  assert.equal(error.hint, 'use a shorter name for the trust domain');
  assert.equal(error.cause?.message, 'deep');
});

test('lines below the level are not written', (t) => {
  const { log, lines } = logToFile(t, 'warn');
  log.info({}, 'quiet');
  assert.deepEqual(lines(), []);
});

test('the level can be changed while it runs, for all children too', (t) => {
  const { log, lines } = logToFile(t, 'warn');
  const child = log.child({ pid: 7 });
  log.threshold.level = 'debug';
  child.debug({}, 'seen');
  child.threshold.level = 'silent';
  log.error({}, 'not seen');
  assert.deepEqual(
    lines().map(({ msg }) => msg),
    ['seen'],
  );
});

test('the functions of a log can be taken out of it', (t) => {
  const { log, lines } = logToFile(t, 'info');
  const { warn } = log.child({ pid: 7 });
  warn({}, 'still works');
  assert.equal(lines()[0]?.pid, 7);
});
