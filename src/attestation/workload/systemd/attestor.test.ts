import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryFolder } from '../../../../test/support/children.js';
import { type BusAnswer, messageBus } from '../../../../test/support/message-bus.js';
import { fakeProc } from '../../../../test/support/proc.js';
import { isFault } from '../../../base/faults/fault.js';
import { systemdAttestor } from './attestor.js';

const unitPath = '/org/freedesktop/systemd1/unit/nginx_2eservice';

/** systemd's answers for process 7, which belongs to a unit with that file. */
function systemd(file: string): BusAnswer {
  return ({ member, path, args }) => {
    if (member === 'GetUnitByPID' && args[0] === 7) return { type: 'o', value: unitPath };
    if (member === 'GetUnitByPID') return { error: 'org.freedesktop.systemd1.NoUnitForPID' };
    const [unit, property] = args;
    if (path !== unitPath || unit !== 'org.freedesktop.systemd1.Unit') return { error: 'x.Unexpected' };
    return { type: 'v', value: property === 'Id' ? 'nginx.service' : file };
  };
}

test('a process of a unit has its ID and its file, whatever the byte order of the bus', async (t) => {
  const proc = fakeProc(temporaryFolder(t));
  const peer = proc.put(7, '0::/system.slice/nginx.service');
  for (const order of ['l', 'B'] as const) {
    const bus = await messageBus(t, systemd('/lib/systemd/system/nginx.service'), order);
    const { selectors, stillHold } = await systemdAttestor({ bus: bus.path, proc: proc.path }).attest(peer);
    assert.deepEqual(
      selectors.map(({ type, value }) => `${type}:${value}`),
      ['systemd:id:nginx.service', 'systemd:fragment_path:/lib/systemd/system/nginx.service'],
    );
    assert.deepEqual(bus.members, ['Hello', 'GetUnitByPID', 'Get', 'Get']);
    assert.equal(stillHold(), true);
  }
});

test('a unit without a file has no fragment_path, a process without a unit has nothing', async (t) => {
  const bus = await messageBus(t, systemd(''));
  const proc = fakeProc(temporaryFolder(t));
  const attestor = systemdAttestor({ bus: bus.path, proc: proc.path });
  const valuesOf = async (pid: number) =>
    (await attestor.attest(proc.put(pid, '0::/x'))).selectors.map(({ value }) => value);
  assert.deepEqual(await valuesOf(7), ['id:nginx.service']);
  assert.deepEqual(await valuesOf(8), []);
});

test('S21: a process that moved to another unit is not that workload any more', async (t) => {
  const bus = await messageBus(t, systemd(''));
  const proc = fakeProc(temporaryFolder(t));
  const { stillHold } = await systemdAttestor({ bus: bus.path, proc: proc.path }).attest(
    proc.put(7, '0::/a'),
  );
  proc.put(7, '0::/b');
  assert.equal(stillHold(), false);
});

test('S25: without an answer there are no selectors', async (t) => {
  const proc = fakeProc(temporaryFolder(t));
  const peer = proc.put(7, '0::/x');
  const denied = await messageBus(t, () => ({ error: 'org.freedesktop.DBus.Error.AccessDenied' }));
  const odd = await messageBus(t, () => ({ type: 'u', value: '' }));
  for (const [bus, code] of [
    [denied.path, 'ATT0111'],
    [odd.path, 'TRN0402'],
    [`${odd.path}.none`, 'TRN0402'],
  ] as const) {
    await assert.rejects(systemdAttestor({ bus, proc: proc.path }).attest(peer), (error) =>
      isFault(error, code),
    );
  }
  const blind = systemdAttestor({ bus: odd.path, proc: temporaryFolder(t) });
  await assert.rejects(blind.attest(peer), (error) => isFault(error, 'ATT0103'));
});
