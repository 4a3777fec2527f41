import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { storedEntries } from '../../test/support/stored-entries.js';
import { systemClock } from '../base/clock.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { openStore } from './store.js';

const writer = fileURLToPath(new URL('../../test/support/store-writer.js', import.meta.url));

test('killed ten times in the middle of writes, the store has every entry that it acknowledged', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pl-kill-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'data');
  const acknowledged = new Set<string>();
  for (let round = 0; round < 10; round++) {
    const killAfter = 1 + Math.floor(Math.random() * 120);
    for (const id of await writeAndKill(t, dataDir, `r${round}`, killAfter)) acknowledged.add(id);
  }
  const trustDomain = parseTrustDomain('shop.example');
  const store = await openStore({ dataDir, trustDomain, clock: systemClock });
  t.after(() => store.close());
  const found = new Set((await storedEntries(store)).map(({ id }) => id));
  assert.ok(acknowledged.size >= 10);
  assert.deepEqual(
    [...acknowledged].filter((id) => !found.has(id)),
    [],
  );
});

/** Everything that the process acknowledged before it died. */
async function writeAndKill(
  t: TestContext,
  dataDir: string,
  prefix: string,
  killAfter: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [writer, dataDir, prefix], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (text.split('\n').length > killAfter) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  assert.equal(signal, 'SIGKILL', 'the writer ended by itself');
  // The last line may have been cut.
  return text.split('\n').slice(0, -1);
}
