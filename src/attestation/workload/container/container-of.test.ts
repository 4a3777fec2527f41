import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../../../test/support/children.js';
import { fakeProc } from '../../../../test/support/proc.js';
import { isFault } from '../../../base/faults/fault.js';
import { type ContainerPlace, containerOf, isIn } from './container-of.js';

const id = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
const other = 'fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210';
const pod = '2c48913c-b29f-11e7-9350-020968147796';
const slice = 'kubepods-burstable-pod2c48913c_b29f_11e7_9350_020968147796.slice';

function found(t: TestContext, ...groups: string[]): ContainerPlace | undefined {
  const proc = fakeProc(temporaryFolder(t));
  return containerOf(proc.path, proc.put(7, ...groups).pid);
}

test('S24: a container is found by its control groups, v1 and v2, of every runtime', (t) => {
  const cases: [groups: string[], containerId?: string, podUid?: string][] = [
    [['0::/']],
    [['0::/system.slice/nginx.service', 'not a line']],
    [[`12:pids:/docker/${id}`, `1:name=systemd:/docker/${id}`], id],
    [[`0::/system.slice/docker-${id}.scope`], id],
    [[`0::/../${id}`], id],
    [[`0::/machine.slice/libpod-${id}.scope/container`], id],
    [[`0::/system.slice/docker-${id}.scope/init.scope`], id],
    [[`0::/docker/${other}/docker/${id}`], id],
    [[`11:cpu:/kubepods/burstable/pod${pod}/${id}`], id, pod],
    [[`0::/kubepods.slice/kubepods-burstable.slice/${slice}/cri-containerd-${id}.scope`], id, pod],
    [[`0::/../../kubepods-besteffort.slice/${slice}/crio-${id}.scope`], id, pod],
    [[`0::/${slice}:cri-containerd:${id}`], id, pod],
    [[`0::/docker/${other}/kubepods/besteffort/pod${pod}/${id}`], id, pod],
    [[`0::/../crio-${id}.scope`], id],
    // A static pod, whose UID is a hash.
    [[`0::/kubepods/pod0123456789abcdef0123456789abcdef/${id}`], id],
    // kind on cgroup v1: one path with the pod overrides another with the node's container alone.
    [[`0::/docker/${other}/system.slice/x`, `1:cpu:/docker/${other}/kubepods/pod${pod}/${id}`], id, pod],
    [[`1:cpu:/docker/${other}/kubepods/pod${pod}/${id}`, `0::/docker/${other}/system.slice/x`], id, pod],
  ];
  for (const [groups, containerId, podUid] of cases) {
    const place = found(t, ...groups);
    assert.deepEqual([place?.containerId, place?.podUid], [containerId, podUid], groups.join(' '));
  }
});

test('S25: groups that do not name one container are refused', (t) => {
  const secondPod = 'pod99999999-b29f-11e7-9350-020968147796';
  const cases = [
    [`1:cpu:/docker/${id}`, `2:memory:/docker/${other}`],
    [`1:cpu:/kubepods/pod${pod}/${id}`, `2:memory:/kubepods/pod${pod}/${other}`],
    [`1:cpu:/kubepods/pod${pod}/${id}`, `2:memory:/kubepods/${secondPod}/${id}`],
    [`0::/kubepods/pod${pod}/${other}/kubepods/${secondPod}/${id}`],
    [`0::/user.slice/user-1000.slice/user@1000.service/${slice}/cri-containerd-${id}.scope`],
  ];
  for (const groups of cases) {
    assert.throws(
      () => found(t, ...groups),
      (error) => isFault(error, 'ATT0106'),
      groups.join(' '),
    );
  }
  assert.throws(
    () => containerOf(temporaryFolder(t), 7),
    (error) => isFault(error, 'ATT0103'),
  );
});

test('S21: a process that leaves its container, or whose group is moved, is not in it any more', (t) => {
  const proc = fakeProc(temporaryFolder(t));
  proc.put(7, `0::/docker/${id}`);
  const place = containerOf(proc.path, 7);
  assert.equal(isIn(place, proc.path, 7), true);
  proc.put(7, `0::/docker/${id}/sub`);
  assert.equal(isIn(place, proc.path, 7), true);
  for (const now of ['0::/', `0::/docker/${other}`, `0::/user/${id}`, `1:a:/${id}\n2:b:/${other}`]) {
    proc.put(7, now);
    assert.equal(isIn(place, proc.path, 7), false, now);
  }
});
