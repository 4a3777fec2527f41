import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordingLog } from '../../../test/support/log.js';
import { isFault } from '../../base/faults/fault.js';
import { silentLog } from '../../telemetry/log.js';
import type { UnixPeer } from '../../transport/peer.js';
import { workloadAttestation } from './attest.js';
import type { WorkloadAttestor } from './attestor.js';

const peer: UnixPeer = {
  ...{ kind: 'unix', pid: process.pid, isAlive: () => true },
  ...{ uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 },
};

function finds(type: string, value: string, stillHold = () => true): WorkloadAttestor {
  return { type, attest: async () => ({ selectors: [{ type, value }], stillHold }) };
}

test('the selectors of all attestors come together', async () => {
  const attest = workloadAttestation([finds('unix', 'uid:1000'), finds('docker', 'label:a:b')], silentLog);
  const workload = await attest(peer);
  assert.deepEqual(workload.selectors, [
    { type: 'unix', value: 'uid:1000' },
    { type: 'docker', value: 'label:a:b' },
  ]);
  assert.equal(workload.pid, peer.pid);
  assert.equal(workload.uid, peer.uid);
});

test('a caller from the network is refused before any attestor looks', async () => {
  const looked: WorkloadAttestor = { type: 'unix', attest: () => assert.fail('looked') };
  const attest = workloadAttestation([looked], silentLog);
  const caller = { kind: 'tls', presented: [], address: '192.0.2.1:4711' } as const;
  await assert.rejects(attest(caller), (error) => isFault(error, 'ATT0101'));
});

test('S25: when an attestor fails nothing is handed out, and only the log says why', async () => {
  const log = recordingLog();
  const broken: WorkloadAttestor = { type: 'docker', attest: () => Promise.reject(new Error('no socket')) };
  const attest = workloadAttestation([broken, finds('unix', 'uid:1000')], log);
  await assert.rejects(attest(peer), (error) => {
    assert.ok(isFault(error, 'ATT0105') && error instanceof Error);
    assert.doesNotMatch(error.message, /socket|uid/);
    return true;
  });
  assert.match(String(log.lines[0]?.fields.error), /no socket/);
  const whole = workloadAttestation([finds('unix', 'uid:1000')], log);
  assert.equal((await whole(peer)).isAlive(), true);
});

test('S30: streams that one connection opens at the same time are attested once, later ones again', async () => {
  let looks = 0;
  const counting: WorkloadAttestor = {
    type: 'unix',
    attest: async () => {
      looks++;
      return { selectors: [], stillHold: () => true };
    },
  };
  const attest = workloadAttestation([counting], silentLog);
  await Promise.all(Array.from({ length: 1000 }, () => attest(peer)));
  assert.equal(looks, 1);
  await Promise.all([attest(peer), attest({ ...peer })]);
  assert.equal(looks, 3);
});

test('S21: a caller that is gone before or after the look is refused', async () => {
  for (const livesFor of [0, 1]) {
    let asked = 0;
    const dying: UnixPeer = { ...peer, isAlive: () => asked++ < livesFor };
    const attest = workloadAttestation([finds('unix', 'uid:1000')], silentLog);
    await assert.rejects(attest(dying), (error) => isFault(error, 'ATT0102'));
  }
});

test("S21: a workload is alive only while its process lives and every attestor's facts hold", async () => {
  let lives = true;
  let holds = true;
  const attest = workloadAttestation([finds('unix', 'uid:1000', () => holds)], silentLog);
  const workload = await attest({ ...peer, isAlive: () => lives });
  assert.equal(workload.isAlive(), true);
  holds = false;
  assert.equal(workload.isAlive(), false);
  holds = true;
  lives = false;
  assert.equal(workload.isAlive(), false);
});
