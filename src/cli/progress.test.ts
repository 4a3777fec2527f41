import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { during } from './progress.js';
import { createVoice } from './voice.js';

const cleared = '\r\u001b[2K';

test('a step shows on a terminal once it is slow, and leaves no trace; a quick one shows nothing', async () => {
  const terminal = fakeStderr(true);
  assert.equal(await during('counting', terminal, async () => 7), 7);
  assert.equal(terminal.text(), '');
  await during('counting', terminal, () => sleep(400));
  assert.ok(terminal.text().startsWith(`${cleared}counting … `));
  assert.ok(terminal.text().endsWith(cleared));
});

test('a step that fails leaves no trace either, and where nobody watches a slow one is quiet at first', async () => {
  const terminal = fakeStderr(true);
  const failing = during('counting', terminal, async () => {
    await sleep(350);
    throw new Error('lost count');
  });
  await assert.rejects(failing, /lost count/);
  assert.ok(terminal.text().endsWith(cleared));
  const file = fakeStderr(false);
  await during('counting', file, () => sleep(350));
  assert.equal(file.text(), '');
});

function fakeStderr(isTTY: boolean) {
  let text = '';
  const stderr = {
    isTTY,
    write: (more: string) => {
      text += more;
    },
  };
  return {
    stderr,
    voice: createVoice({ stdout: stderr, stderr, env: {}, color: 'never' }),
    text: () => text,
  };
}
