import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { recordingLog } from '../../test/support/log.js';
import { fault } from '../base/faults/fault.js';
import type { IssuedSvid } from '../ca/issue-x509-svid.js';
import { readiness } from './readiness.js';

const { svid } = testCa('shop.example').svid('spiffe://shop.example/spire/server');

/** A server of which each part can be broken. */
function server() {
  const parts = { store: true, authorities: true, now: Date.now(), writes: 0 };
  const log = recordingLog();
  const isReady = readiness({
    registry: {
      serverId: svid.id,
      checkWritable: async () => {
        parts.writes++;
        if (!parts.store) throw fault('STO0201', { path: 'p' });
      },
    },
    authorities: {
      issueOwn: () => {
        if (!parts.authorities) throw new Error('no authority');
        // Nobody looks at it.
        return {} as IssuedSvid & Promise<IssuedSvid>;
      },
    },
    identity: { current: () => svid, onChange: () => () => {} },
    clock: { now: () => parts.now },
    log,
  });
  /** As if a second had gone by. */
  const later = (change: Partial<typeof parts> = {}) => {
    parts.now += 1000;
    Object.assign(parts, change);
    return isReady();
  };
  return { parts, log, isReady, later };
}

test('a server is ready while it can write and sign and its own SVID is valid, and at no other time (S37)', async () => {
  const { later } = server();
  assert.equal(await later(), true);
  assert.equal(await later({ store: false }), false);
  assert.equal(await later({ store: true, authorities: false }), false);
  assert.equal(await later({ authorities: true }), true);
  assert.equal(await later({ now: svid.notAfter + 1 }), false);
});

test('why it is not ready is logged once, and that it is again', async () => {
  const { later, log } = server();
  for (const store of [true, false, false, true, true]) await later({ store });
  assert.deepEqual(
    log.lines.map(({ level, sentence }) => [level, sentence]),
    [
      ['error', 'the server is not ready'],
      ['info', 'the server is ready again'],
    ],
  );
});

test('however many ask, it looks once a second', async () => {
  const { parts, isReady, later } = server();
  await Promise.all(Array.from({ length: 100 }, () => isReady()));
  await isReady();
  assert.equal(parts.writes, 1);
  await later();
  assert.equal(parts.writes, 2);
});
