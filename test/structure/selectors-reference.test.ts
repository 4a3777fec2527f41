import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { dockerAttestor } from '../../src/attestation/workload/docker/attestor.js';
import { k8sAttestor } from '../../src/attestation/workload/k8s/attestor.js';
import { systemdAttestor } from '../../src/attestation/workload/systemd/attestor.js';
import { unixAttestor } from '../../src/attestation/workload/unix/attestor.js';
import { peerOfProcess, temporaryFolder } from '../support/children.js';
import { containerOfEngine, dockerEngine } from '../support/docker-engine.js';
import { containerId, podUid, testKubelet } from '../support/kubelet.js';
import { messageBus } from '../support/message-bus.js';
import { fakeProc } from '../support/proc.js';

const page = readFileSync(new URL('../../../docs/reference/selectors.md', import.meta.url), 'utf8');

/** `unix:uid` of `unix:uid:1000`. */
const kindOf = (selector: string) => selector.split(':', 2).join(':');

test('docs/reference/selectors.md lists every selector that the attestors find, and no other', async (t) => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const listed = rows.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => kindOf(text)),
  );
  assert.deepEqual(new Set(listed), new Set(await everyKind(t)));
  assert.equal(listed.length, new Set(listed).size);
});

async function everyKind(t: TestContext): Promise<string[]> {
  const proc = fakeProc(temporaryFolder(t));
  const peer = proc.put(7, `0::/kubepods/pod${podUid}/${containerId}`);
  const engine = await dockerEngine(t);
  engine.containers.set(containerId, containerOfEngine(containerId, peer.pid));
  const bus = await messageBus(t, ({ member }) =>
    member === 'GetUnitByPID' ? { type: 'o', value: '/unit' } : { type: 'v', value: 'x' },
  );
  const kubelet = { readOnlyPort: (await testKubelet(t)).readOnlyPort };
  const names = { user: () => 'name', group: () => 'name' };
  const inGroups = join(proc.path, '7', 'status');
  mkdirSync(join(proc.path, '7'), { recursive: true });
  writeFileSync(inGroups, 'Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t4\n');
  const findings = await Promise.all([
    unixAttestor({ names }).attest(peerOfProcess(process.pid)),
    unixAttestor({ names, proc: proc.path }).attest(peer),
    dockerAttestor({ socket: engine.socket, proc: proc.path }).attest(peer),
    k8sAttestor({ kubelet, proc: proc.path }).attest(peer),
    systemdAttestor({ bus: bus.path, proc: proc.path }).attest(peer),
  ]);
  return findings.flatMap(({ selectors }) => selectors.map(({ type, value }) => kindOf(`${type}:${value}`)));
}
