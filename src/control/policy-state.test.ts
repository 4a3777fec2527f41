import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../../test/support/children.js';
import { until } from '../../test/support/until.js';
import { fault } from '../base/faults/fault.js';
import { decide } from '../policy/diagram/decide.js';
import { parseSpiffeId } from '../spiffe/id.js';
import { silentLog } from '../telemetry/log.js';
import { readPolicyFolder } from './policy-folder.js';
import { createPolicyState, type PolicyState } from './policy-state.js';
import { watchPolicyFolder } from './policy-watcher.js';

const head = `version: 1
trustDomains: { shop: { id: shop.example } }
services:
  orders: { identity: shop:/orders, protocol: http }
  web: { identity: shop:/web, protocol: http }
rules:
`;
const allow = '  - { name: reads, from: web, to: orders, allow: GET /v1/** }\n';
const deny = '  - { name: no-export, from: web, to: orders, deny: ANY /v1/export }\n';

test('a policy is taken as a whole, and one that is wrong is refused with its place while the last good one stays', (t) => {
  const state = stateOf(t);
  offer(state, { 'a.yaml': `${head}${allow}` });
  assert.equal(state.refusal(), undefined);
  assert.equal(mayRead(state, '/v1/orders'), true);
  const before = state.current();
  offer(state, {
    'a.yaml': `${head}${allow}`,
    'b.yaml': 'version: 1\nrules:\n  - { name: x, from: wbe, to: orders, allow: GET / }\n',
  });
  assert.equal(state.current(), before);
  assert.equal(
    state.refusal()?.problem.message,
    'the policy in `/policy` is refused: 1 error, the first POL0201 at b.yaml:3:22: the rule `x` names the unknown caller `wbe`',
  );
  assert.deepEqual(
    state.refusal()?.diagnostics.map(({ code }) => code),
    ['POL0201'],
  );
  offer(state, { 'a.yaml': `${head}${allow}${deny}` });
  assert.equal(state.refusal(), undefined);
  assert.equal(mayRead(state, '/v1/export'), false);
});

test('a policy whose own tests fail is refused', (t) => {
  const state = stateOf(t);
  const tests = 'tests:\n  - { from: web, call: GET /v1/export, to: orders, expect: deny }\n';
  offer(state, { 'a.yaml': `${head}${allow}${tests}` });
  assert.equal(state.current(), undefined);
  assert.match(state.refusal()?.problem.message ?? '', /1 error, the first POL0501 at a\.yaml:9:5/);
  offer(state, { 'a.yaml': `${head}${allow}${deny}${tests}` });
  assert.equal(mayRead(state, '/v1/export'), false);
});

test('a filter that did not change stays the same object, and only a change is told', (t) => {
  const state = stateOf(t);
  let changes = 0;
  state.onChange(() => changes++);
  offer(state, { 'a.yaml': `${head}${allow}` });
  const before = state.current();
  offer(state, { 'a.yaml': `# a comment\n${head}${allow}` });
  assert.equal(changes, 1);
  offer(state, { 'a.yaml': `${head}${allow}${deny}` });
  assert.equal(changes, 2);
  const after = state.current();
  assert.equal(after?.filters.get('web'), before?.filters.get('web'));
  assert.notEqual(
    after?.filters.get('orders')?.filter.version,
    before?.filters.get('orders')?.filter.version,
  );
});

test('a folder that cannot be read leaves the policy in force', (t) => {
  const state = stateOf(t);
  offer(state, { 'a.yaml': `${head}${allow}` });
  state.refuse(fault('CTL0102', { folder: '/policy' }));
  assert.equal(state.refusal()?.problem.code, 'CTL0102');
  assert.equal(mayRead(state, '/v1/orders'), true);
});

test('when an allow ends, its part of the filter goes; a deny stays until it is removed from the file', async (t) => {
  const end = Date.parse('2027-01-01T00:00:00Z');
  const start = performance.now();
  const state = createPolicyState({
    folder: '/policy',
    clock: { now: () => Math.floor(end - 100 + performance.now() - start) },
    log: silentLog,
  });
  t.after(() => state.close());
  const ending = (rule: string) => rule.replace(' }', ', until: 2027-01-01, reason: r }');
  const version = () => state.current()?.filters.get('orders')?.filter.version;
  offer(state, { 'a.yaml': `${head}${ending(allow)}${ending(deny)}` });
  const first = version();
  await new Promise<void>((changed) => state.onChange(changed));
  offer(state, { 'a.yaml': `${head}${ending(deny)}` });
  const withoutAllow = version();
  assert.notEqual(first, withoutAllow);
  offer(state, { 'a.yaml': `${head}${ending(allow)}${ending(deny)}` });
  assert.equal(version(), withoutAllow);
});

test('a file caught half-written never widens anything, however slow its writer is', async (t) => {
  const { folder, state, seen } = await watched(t);
  const reading = readPolicyFolder(folder);
  if (reading.kind === 'settled' && !reading.certain)
    return t.skip('no leases on this file system, or not Linux');
  // In place: truncated, then the allow, a long pause, then the deny.
  const file = openSync(join(folder, 'a.yaml'), 'w');
  await sleep(60);
  writeSync(file, `${head}${allow}`);
  await sleep(700);
  writeSync(file, `${deny}  - { name: posts, from: web, to: orders, allow: POST /v1/orders }\n`);
  closeSync(file);
  await until(() => mayRead(state, '/v1/orders', 'POST'));
  assert.ok(seen.every(({ exported }) => !exported));
});

test('a save by truncating, by renaming, and of several files at once is seen as one change', async (t) => {
  const { folder, state, seen } = await watched(t);
  for (let round = 0; round < 10; round++) {
    const path = `/v1/round-${round}`;
    const text = `${head}  - { name: reads, from: web, to: orders, allow: GET ${path} }\n`;
    const guard = `version: 1\nrules:\n  - { name: guard, from: web, to: orders, deny: ANY ${path}/x }\n`;
    const write = round % 2 === 0 ? writeFileSync : byRenaming;
    write(join(folder, 'b.yaml'), guard);
    write(join(folder, 'a.yaml'), text);
    await until(() => mayRead(state, path));
  }
  assert.equal(state.refusal(), undefined);
  assert.ok(seen.every(({ exported }) => !exported));
});

test('a ConfigMap that is swapped, and a folder that is replaced, are taken as they are', async (t) => {
  const folder = join(temporaryFolder(t), 'policy');
  mkdirSync(join(folder, '..v1'), { recursive: true });
  writeFileSync(join(folder, '..v1/a.yaml'), `${head}${allow}`);
  symlinkSync('..v1', join(folder, '..data'));
  symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
  const state = stateOf(t);
  watch(t, folder, state);
  await until(() => mayRead(state, '/v1/export'));
  mkdirSync(join(folder, '..v2'));
  writeFileSync(join(folder, '..v2/a.yaml'), `${head}${allow}${deny}`);
  symlinkSync('..v2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  await until(() => !mayRead(state, '/v1/export'));

  mkdirSync(`${folder}.new`);
  writeFileSync(join(`${folder}.new`, 'a.yaml'), `${head}${allow.replace('GET', 'POST')}`);
  renameSync(folder, `${folder}.old`);
  renameSync(`${folder}.new`, folder);
  await until(() => mayRead(state, '/v1/orders', 'POST'));
});

test('a folder that goes away is told, the policy stays, and its return is noticed', async (t) => {
  const { folder, state } = await watched(t);
  rmSync(folder, { recursive: true });
  await until(() => state.refusal()?.problem.code === 'CTL0101');
  assert.equal(mayRead(state, '/v1/orders'), true);
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.yaml'), `${head}${allow}${deny}`);
  await until(() => state.refusal() === undefined);
  assert.equal(mayRead(state, '/v1/orders'), true);
});

test('a file that nobody finishes is told after a while', async (t) => {
  const { folder, state } = await watched(t);
  const reading = readPolicyFolder(folder);
  if (reading.kind === 'settled' && !reading.certain)
    return t.skip('no leases on this file system, or not Linux');
  const file = openSync(join(folder, 'a.yaml'), 'a');
  writeSync(file, '# to be continued\n');
  await until(() => state.refusal()?.problem.code === 'CTL0105');
  closeSync(file);
  await until(() => state.refusal() === undefined);
});

test('where nobody can tell whether a file is being written, it must have been quiet for a while', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'a.yaml');
  writeFileSync(path, `${head}${allow}`);
  const state = stateOf(t);
  const seen: boolean[] = [];
  state.onChange(() => seen.push(mayRead(state, '/v1/export')));
  const read = () => {
    const reading = readPolicyFolder(folder);
    return reading.kind === 'settled' ? { ...reading, certain: false } : reading;
  };
  t.after(watchPolicyFolder({ folder, onFiles: state.offer, onProblem: state.refuse, read }));
  const started = performance.now();
  for (const pause of [20, 40, 20]) {
    await sleep(pause);
    writeFileSync(path, `${head}${allow}# ${pause}\n`);
  }
  writeFileSync(path, `${head}${allow}${deny}`);
  // On a machine that is so busy that all this took longer, an earlier state may rightly have counted as quiet.
  const inTime = performance.now() - started < 250;
  await until(() => mayRead(state, '/v1/orders') && !mayRead(state, '/v1/export'));
  if (inTime) assert.deepEqual(seen, [false]);
});

interface Seen {
  /** Whether `GET /v1/export`, which every complete policy of these tests denies, was allowed. */
  readonly exported: boolean;
}

async function watched(t: TestContext): Promise<{ folder: string; state: PolicyState; seen: Seen[] }> {
  const folder = join(temporaryFolder(t), 'policy');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.yaml'), `${head}${allow}${deny}`);
  const state = stateOf(t);
  const seen: Seen[] = [];
  state.onChange(() => seen.push({ exported: mayRead(state, '/v1/export') }));
  watch(t, folder, state);
  await until(() => mayRead(state, '/v1/orders'));
  return { folder, state, seen };
}

function watch(t: TestContext, folder: string, state: PolicyState): void {
  t.after(watchPolicyFolder({ folder, onFiles: state.offer, onProblem: state.refuse }));
}

test('what goes wrong in ourselves refuses the policy too, and stops nothing', (t) => {
  const clock = { now: Date.now };
  const state = createPolicyState({ folder: '/policy', clock, log: silentLog });
  t.after(() => state.close());
  offer(state, { 'a.yaml': `${head}${allow}` });
  const before = state.current();
  clock.now = () => {
    throw new RangeError('a mistake of ours');
  };
  offer(state, { 'a.yaml': `${head}${allow}${deny}` });
  assert.equal(state.current(), before);
  assert.equal(state.refusal()?.problem.code, 'CTL0202');
});

function stateOf(t: TestContext): PolicyState {
  const state = createPolicyState({ folder: '/policy', clock: { now: Date.now }, log: silentLog });
  t.after(() => state.close());
  return state;
}

function offer(state: PolicyState, files: Readonly<Record<string, string>>): void {
  state.offer(Object.entries(files).map(([name, text]) => ({ name, path: name, text })));
}

function mayRead(state: PolicyState, path: string, method = 'GET'): boolean {
  const diagram = state.current()?.diagrams.get('orders');
  const caller = parseSpiffeId('spiffe://shop.example/web');
  return diagram !== undefined && decide(diagram, { caller, method, path, at: 0 }).allowed;
}

function byRenaming(path: string, text: string): void {
  writeFileSync(`${path}~`, text);
  renameSync(`${path}~`, path);
}
