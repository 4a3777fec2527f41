import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { wipeWhenUnused } from './wipe.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('S26: the bytes of a key are zeros when nobody holds them any more, and not before', async () => {
  const holder: { key: Uint8Array | undefined } = { key: wipeWhenUnused(new Uint8Array(64).fill(7)) };
  const memory = new Uint8Array(holder.key?.buffer ?? assert.fail());
  for (let turn = 0; turn < 3; turn++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual([holder.key?.[0], memory[0]], [7, 7]);
  holder.key = undefined;
  while (memory[0] !== 0) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(memory.every((byte) => byte === 0));
});
