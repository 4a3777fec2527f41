import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { shop } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { temporaryFolder } from '../../test/support/children.js';
import { isFault } from '../base/faults/fault.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { openStateStore } from './state.js';

const ca = testCa('shop.example');
const state = {
  svid: ca.svid('spiffe://shop.example/spire/agent/join_token/one').svid,
  bundle: ca.bundle,
  reattestable: true,
};

test('what was saved is loaded again: SVID, key, bundle, and whether it can attest again', async (t) => {
  const folder = join(temporaryFolder(t), 'new', 'data');
  const store = openStateStore(folder, shop);
  assert.equal(store.load(), undefined);
  await store.save(state);
  const loaded = openStateStore(folder, shop).load();
  assert.deepEqual(
    loaded?.svid.chain.map((der) => Buffer.from(der)),
    state.svid.chain.map((der) => Buffer.from(der)),
  );
  assert.deepEqual(Buffer.from(loaded?.svid.privateKey ?? []), Buffer.from(state.svid.privateKey));
  assert.equal(loaded?.svid.id, state.svid.id);
  assert.equal(loaded?.svid.notAfter, state.svid.notAfter);
  assert.equal(loaded?.reattestable, true);
  assert.deepEqual(
    loaded?.bundle.x509Authorities.map(({ der }) => Buffer.from(der)),
    state.bundle.x509Authorities.map(({ der }) => Buffer.from(der)),
  );
});

test('S28: the folder is 0700, the file 0600, and nothing else is left in it', async (t) => {
  const folder = join(temporaryFolder(t), 'data');
  const store = openStateStore(folder, shop);
  await store.save(state);
  await store.save(state);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(folder), ['agent-state.json']);
  assert.equal(statSync(join(folder, 'agent-state.json')).mode & 0o777, 0o600);
});

test('S28: a rest that a kill left behind is replaced, and a link in its place is not followed', async (t) => {
  const folder = temporaryFolder(t);
  const target = join(folder, 'target');
  writeFileSync(target, 'precious');
  symlinkSync(target, join(folder, 'agent-state.json.new'));
  const store = openStateStore(folder, shop);
  await store.save(state);
  assert.equal(readFileSync(target, 'utf8'), 'precious');
  assert.equal(store.load()?.svid.id, state.svid.id);
});

test('S28: state behind a link is refused', async (t) => {
  const folder = join(temporaryFolder(t), 'data');
  const elsewhere = join(temporaryFolder(t), 'data');
  await openStateStore(elsewhere, shop).save(state);
  const store = openStateStore(folder, shop);
  symlinkSync(join(elsewhere, 'agent-state.json'), join(folder, 'agent-state.json'));
  assert.throws(
    () => store.load(),
    (error) => isFault(error, 'AGT0101'),
  );
});

const notRoot = process.getuid?.() === 0 ? false : 'needs root, to own things as another user';

test('S28: state, or a folder, that belongs to another user is refused', { skip: notRoot }, async (t) => {
  const folder = join(temporaryFolder(t), 'data');
  const store = openStateStore(folder, shop);
  await store.save(state);
  chownSync(join(folder, 'agent-state.json'), 12345, 12345);
  assert.throws(
    () => store.load(),
    (error) => isFault(error, 'AGT0101'),
  );
  chownSync(folder, 12345, 12345);
  assert.throws(
    () => openStateStore(folder, shop),
    (error) => isFault(error, 'AGT0101'),
  );
});

test('S28: state that other users can read, or a folder that they can change, is refused', async (t) => {
  const folder = join(temporaryFolder(t), 'data');
  await openStateStore(folder, shop).save(state);
  chmodSync(join(folder, 'agent-state.json'), 0o644);
  assert.throws(
    () => openStateStore(folder, shop).load(),
    (error) => isFault(error, 'AGT0101'),
  );
  const open = join(folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  assert.throws(
    () => openStateStore(open, shop),
    (error) => isFault(error, 'AGT0101'),
  );
});

test('state that cannot be read is refused with the place and the way out', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'agent-state.json');
  const store = openStateStore(folder, shop);
  await store.save(state);
  const good = JSON.parse(readFileSync(path, 'utf8'));
  const broken = [
    '',
    '{',
    JSON.stringify({ ...good, version: 2 }),
    JSON.stringify({ ...good, id: 'spiffe://shop.example' }),
    JSON.stringify({ ...good, notAfter: 'soon' }),
    JSON.stringify({ ...good, bundle: '{}' }),
  ];
  for (const text of broken) {
    writeFileSync(path, text);
    assert.throws(
      () => store.load(),
      (error) => isFault(error, 'AGT0102') && String(error).includes(path),
    );
  }
});

test('state of another trust domain is refused', async (t) => {
  const folder = temporaryFolder(t);
  await openStateStore(folder, shop).save(state);
  const other = openStateStore(folder, parseTrustDomain('other.example'));
  assert.throws(
    () => other.load(),
    (error) => isFault(error, 'AGT0103'),
  );
});
