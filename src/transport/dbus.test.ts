import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { endChild, temporaryFolder } from '../../test/support/children.js';
import { isFault } from '../base/faults/fault.js';
import { withMessageBus } from './dbus.js';

const hasDaemon = spawnSync('dbus-daemon', ['--version']).status === 0;
const daemon = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' };

test('a real message bus lets us in, answers calls, and says what it does not have', {
  skip: hasDaemon ? false : 'needs dbus-daemon',
}, async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'bus');
  const config = join(folder, 'bus.conf');
  writeFileSync(
    config,
    `<busconfig><type>session</type><listen>unix:path=${path}</listen><auth>EXTERNAL</auth>
     <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>`,
  );
  const args = [`--config-file=${config}`, '--nofork', '--print-address=1'];
  const child = spawn('dbus-daemon', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => endChild(child));
  await once(child.stdout, 'data');
  await withMessageBus(path, 5000, async (call) => {
    const bus = { ...daemon, interface: 'org.freedesktop.DBus' };
    const owner = await call({ ...bus, member: 'GetNameOwner', arguments: ['org.freedesktop.DBus'] });
    assert.deepEqual(owner, { text: 'org.freedesktop.DBus' });
    const id = await call({ ...bus, member: 'GetId' });
    assert.match('text' in id ? id.text : '', /^[0-9a-f]{32}$/);
    const peer = await call({ ...bus, interface: 'org.freedesktop.DBus.Peer', member: 'GetMachineId' });
    assert.ok('text' in peer || peer.error);
    const manager = { destination: 'org.freedesktop.systemd1', path: '/org/freedesktop/systemd1' };
    const systemd = { ...manager, interface: 'org.freedesktop.systemd1.Manager', member: 'GetUnitByPID' };
    assert.deepEqual(await call({ ...systemd, arguments: [process.pid] }), {
      error: 'org.freedesktop.DBus.Error.ServiceUnknown',
    });
  });
});

/** A socket whose answer to everything is that. */
async function answering(t: TestContext, answer: string | Buffer | undefined): Promise<string> {
  const path = join(temporaryFolder(t), 's');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => answer !== undefined && socket.write(answer));
    t.after(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => server.close());
  return path;
}

test('whatever is no message bus is refused, and one that says nothing is waited for only so long', async (t) => {
  const tooLong = Buffer.from('OK x\r\nl\x02\x00\x01\xff\xff\xff\x7f\x01\0\0\0\0\0\0\0', 'latin1');
  const answers = ['REJECTED EXTERNAL\r\n', 'x'.repeat(5000), 'OK x\r\nHTTP/1.1 400 Bad', tooLong, undefined];
  for (const answer of answers) {
    const path = await answering(t, answer);
    const timeoutMs = answer === undefined ? 50 : 5000;
    await assert.rejects(
      withMessageBus(path, timeoutMs, async () => assert.fail('let in')),
      (error) => isFault(error, 'TRN0402'),
      String(answer).slice(0, 20),
    );
  }
});
