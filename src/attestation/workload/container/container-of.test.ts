import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, temporaryFolder } from '../../../../test/support/children.js';
import { fakeProc } from '../../../../test/support/proc.js';
import { until } from '../../../../test/support/until.js';
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

/** A real control group (v2) with the name of a container. */
function realGroup(): string {
  const mount = /^\d+ \d+ \S+ \/ (\S+) .* - cgroup2 /m.exec(
    readFileSync('/proc/self/mountinfo', 'utf8'),
  )?.[1];
  const group = join(mount ?? assert.fail('no cgroup2'), id);
  mkdirSync(group);
  return group;
}

/** A group can be removed once the kernel is done with its last process. */
async function removeGroup(group: string): Promise<void> {
  for (let tries = 0; existsSync(group) && tries < 200; tries++) {
    try {
      rmdirSync(group);
    } catch {
      await sleep(10);
    }
  }
}

const canMakeGroups =
  spawnSync('sh', [
    '-c',
    'm=$(awk \'$4 == "/" && /- cgroup2 /{print $5; exit}\' /proc/self/mountinfo) && mkdir "$m/plastron-$$" && rmdir "$m/plastron-$$" && unshare --mount true',
  ]).status === 0
    ? {}
    : { skip: 'needs root, control groups v2 that can be written, and mount namespaces' };

test(
  'S24: a process that mounts the group of a container for itself is in no container, one in the group is',
  canMakeGroups,
  async (t) => {
    const group = realGroup();
    const script = `mount --bind ${group} /mnt && exec sleep 600`;
    const forger = await startChild(t, 'unshare', ['--mount', 'sh', '-c', script]);
    await until(() => readFileSync(`/proc/${forger.pid}/mountinfo`, 'utf8').includes(`/${id} /mnt `));
    assert.equal(containerOf('/proc', forger.pid), undefined);
    const member = await startChild(t, 'sleep', ['600']);
    t.after(() => removeGroup(group));
    writeFileSync(join(group, 'cgroup.procs'), String(member.pid));
    assert.equal(containerOf('/proc', member.pid)?.containerId, id);
  },
);
