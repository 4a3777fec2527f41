import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { isFault } from '../base/faults/fault.js';
import { joinTokenEvidence } from './join-token-evidence.js';

const shown = (evidence: ReturnType<typeof joinTokenEvidence>) => {
  const prover = evidence();
  return prover && Buffer.from(prover.payload).toString();
};

test('a token file is read again at every attempt, and may come later', (t) => {
  const file = join(temporaryFolder(t), 'token');
  const evidence = joinTokenEvidence({ file });
  assert.equal(evidence(), undefined);
  writeFileSync(file, '\n');
  assert.equal(evidence(), undefined);
  writeFileSync(file, 'first\n');
  assert.equal(shown(evidence), 'first');
  writeFileSync(file, 'second');
  assert.equal(shown(evidence), 'second');
});

test('a token that was given directly is used as long as there is no file', (t) => {
  const file = join(temporaryFolder(t), 'token');
  const evidence = joinTokenEvidence({ file, token: 'given' });
  assert.equal(shown(evidence), 'given');
  writeFileSync(file, 'from file');
  assert.equal(shown(evidence), 'from file');
  assert.equal(joinTokenEvidence({})(), undefined);
});

test('a token file that cannot be read is an error, not a missing token', (t) => {
  const file = join(temporaryFolder(t), 'token');
  mkdirSync(file);
  assert.throws(joinTokenEvidence({ file }), (error) => isFault(error, 'AGT0406'));
});
