import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { folderSignature, readPolicyFolder } from './policy-folder.js';

test('all policy files are read, in folders too and in a fixed order; hidden and other files are not', (t) => {
  const folder = filled(t, {
    'b.yaml': 'two',
    'a.yml': 'one',
    'team/c.YAML': 'three',
    'README.md': 'no',
    '.hidden.yaml': 'no',
    '.git/d.yaml': 'no',
  });
  const reading = readPolicyFolder(folder);
  assert.equal(reading.kind, 'settled');
  assert.deepEqual(
    reading.files.map(({ name, text }) => [name, text]),
    [
      ['a.yml', 'one'],
      ['b.yaml', 'two'],
      ['team/c.YAML', 'three'],
    ],
  );
});

test('the fingerprint tells contents, names and the borders between files apart', (t) => {
  const prints = [
    { 'a.yaml': 'x' },
    { 'a.yaml': 'y' },
    { 'b.yaml': 'x' },
    { 'a.yaml': 'x', 'b.yaml': 'y' },
    { 'a.yaml': 'xb.yamly' },
  ].map((files) => {
    const reading = readPolicyFolder(filled(t, files));
    return reading.kind === 'settled' ? reading.fingerprint : '';
  });
  assert.equal(new Set(prints).size, prints.length);
});

test('what cannot be taken for a policy folder is refused', (t) => {
  const cases: [FaultCode, () => string][] = [
    ['CTL0101', () => join(filled(t, {}), 'missing')],
    ['CTL0102', () => filled(t, { 'README.md': 'no' })],
    ['CTL0103', () => filled(t, { [`${'d/'.repeat(9)}a.yaml`]: 'x' })],
    ['CTL0104', () => filled(t, { 'a.yaml': Buffer.from([0xff, 0xfe]) })],
    ['CTL0104', () => filled(t, { 'a.yaml': 'x'.repeat((1 << 20) + 1) })],
    ['CTL0104', () => withLink(filled(t, { 'a.yaml': 'x' }), 'loop', '.')],
    ['CTL0104', () => withLink(filled(t, { 'a.yaml': 'x' }), 'b.yaml', '.')],
    ['CTL0104', () => withFifo(filled(t, { 'a.yaml': 'x' }))],
    ['CTL0101', () => withLink(filled(t, { 'a.yaml': 'x' }), 'b.yaml', 'b.yaml')],
  ];
  for (const [code, make] of cases) {
    assert.throws(
      () => readPolicyFolder(make()),
      (error) => isFault(error, code),
      make.toString(),
    );
  }
});

test('a file that somebody has open for writing is not read, whatever is in it', (t) => {
  const folder = filled(t, { 'a.yaml': 'x', 'b.yaml': 'y' });
  const before = readPolicyFolder(folder);
  if (before.kind === 'settled' && !before.certain)
    return t.skip('no leases on this file system, or not Linux');
  const writer = openSync(join(folder, 'b.yaml'), 'a');
  assert.equal(readPolicyFolder(folder).kind, 'unsettled');
  closeSync(writer);
  assert.deepEqual(readPolicyFolder(folder), before);
});

test('a link that leads nowhere is waited for', (t) => {
  assert.equal(
    readPolicyFolder(withLink(filled(t, { 'a.yaml': 'x' }), 'b.yaml', 'nowhere')).kind,
    'unsettled',
  );
});

test('a folder as Kubernetes mounts a ConfigMap is read through its links', (t) => {
  const folder = filled(t, { '..v1/a.yaml': 'one', '..v2/a.yaml': 'two' });
  symlinkSync('..v1', join(folder, '..data'));
  symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
  const signature = folderSignature(folder);
  assert.equal(textOf(folder), 'one');
  symlinkSync('..v2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  assert.equal(textOf(folder), 'two');
  assert.notEqual(folderSignature(folder), signature);
});

function filled(t: TestContext, files: Readonly<Record<string, string | Buffer>>): string {
  const folder = temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

function withLink(folder: string, name: string, target: string): string {
  rmSync(join(folder, name), { force: true });
  symlinkSync(target, join(folder, name));
  return folder;
}

function withFifo(folder: string): string {
  const { status } = spawnSync('mkfifo', [join(folder, 'b.yaml')]);
  assert.equal(status, 0);
  return folder;
}

function textOf(folder: string): string | undefined {
  const reading = readPolicyFolder(folder);
  return reading.kind === 'settled' ? reading.files[0]?.text : undefined;
}
