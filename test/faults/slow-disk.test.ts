import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/children.js';
import { faultyDisk, faultyDiskMissing } from '../support/faulty-disk.js';
import { loopDelay } from '../support/loop-delay.js';
import { bundleApi, entryApi, entryMessage } from '../support/running-server.js';
import { type ServerLife, startLife } from '../support/server-life.js';
import { until } from '../support/until.js';

const timeout = 120_000;
const skip = faultyDiskMissing();

/** A server whose disk can be made slow, and how late its event loop is. */
async function slowServer(t: TestContext, flags: readonly string[] = []) {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const disk = faultyDisk(t, dataDir);
  const delay = loopDelay(t);
  const life = await startLife(t, { folder, dataDir, flags, env: { ...disk.env, ...delay.env } });
  return { life, disk, dataDir, delay: () => delay.since(life.pid) };
}

test('S37: a disk whose fsync takes 5 ms: the event loop does not wait with the 64 that write', {
  timeout,
  skip,
}, async (t) => {
  const { life, disk, delay } = await slowServer(t);
  const measure = async (name: string) => {
    await delay();
    const written = await writeFor(life, 64, 4000);
    const { p50, p99, max } = await delay();
    const rate = Math.round(written / 4);
    t.diagnostic(`${name}, 64 writers: ${rate} writes/s; event loop p50 ${p50}, p99 ${p99}, max ${max} ms`);
    return p50;
  };
  await writeFor(life, 64, 1000); // until everything is warm
  await measure('this disk');
  disk.slow(5);
  // A loop that waits too would be late by 5 ms and more most of the time.
  assert.ok((await measure('fsync 5 ms')) < 5, 'the event loop waits for the disk');
});

/** How many entries `writers` could write, each one by one, in so many milliseconds. */
async function writeFor(life: ServerLife, writers: number, milliseconds: number): Promise<number> {
  const end = Date.now() + milliseconds;
  let written = 0;
  const write = async () => {
    while (Date.now() < end) {
      const entry = entryMessage(`/e${process.hrtime.bigint()}`, '/node', ['unix:uid:1']);
      const { results } = await life.admin.unary(entryApi.BatchCreateEntry, { entries: [entry] });
      if (!results?.[0]?.status?.code) written++;
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return written;
}

test('S37: while the disk hangs under a new signing authority, the server answers as if nothing were', {
  timeout,
  skip,
}, async (t) => {
  const { life, disk, dataDir } = await slowServer(t, ['--ca-ttl', '6', '--x509-svid-ttl', '4']);
  disk.slow(700);
  const written = join(dataDir, 'authorities.pem.new');
  await until(() => existsSync(written));
  let answers = 0;
  while (existsSync(written)) {
    await life.admin.unary(bundleApi.GetBundle, {});
    answers++;
  }
  t.diagnostic(`${answers} answers while one file was written`);
  assert.ok(answers > 5, 'the server waits for the disk');
});

test('S37: an authority that cannot be written is not used, its reason is logged, and it is made once the disk is well', {
  timeout,
  skip,
}, async (t) => {
  const { life, disk } = await slowServer(t, ['--ca-ttl', '8', '--x509-svid-ttl', '4']);
  const authorities = async () =>
    (await life.admin.unary(bundleApi.GetBundle, {})).x509_authorities?.length ?? 0;
  disk.fail('ENOSPC');
  await until(() => life.log.some((line) => line.includes('CAS0303') && line.includes('ENOSPC')));
  assert.equal(await authorities(), 1);
  disk.heal();
  await until(async () => (await authorities()) >= 2);
});
