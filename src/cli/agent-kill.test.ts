import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { endChild, temporaryFolder } from '../../test/support/children.js';
import { freePort, startPlastron } from '../../test/support/plastron.js';
import { bundlePemOf, followSecrets } from '../../test/support/running-agent.js';
import { createEntries, entryMessage, joinToken } from '../../test/support/running-server.js';
import { transcript } from '../../test/support/transcript.js';
import { until } from '../../test/support/until.js';
import { dialUnix } from '../transport/dial-unix.js';

// Both sides are processes, and both are killed with SIGKILL.

test('server and agent are killed, the agent alone comes back: with --svid-cache it serves, says 3, and 0 when the server is back', {
  timeout: 120_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  const address = `127.0.0.1:${await freePort()}`;
  const startServer = () =>
    startPlastron(t, [
      ...['server', 'run', '--trust-domain', 'shop.example', '--data-dir', at('server')],
      ...['--listen', address, '--admin-socket', at('server.sock')],
    ]);
  const startAgent = () =>
    startPlastron(t, [
      ...['agent', 'run', '--trust-domain', 'shop.example', '--data-dir', at('agent'), '--svid-cache'],
      // The first one is never there.
      ...['--server', `127.0.0.1:1,${address}`, '--trust-bundle', at('bundle.pem')],
      ...['--socket', at('w.sock'), '--admin-socket', at('a.sock'), '--join-token-file', at('token')],
    ]);
  const health = async () => {
    const shown = await transcript(t, {}, [`agent health -o json --admin-socket ${at('a.sock')}`]);
    return Number(/exit (\d+)\n$/.exec(shown)?.[1]);
  };
  const healthBecomes = (code: number) => until(async () => (await health()) === code);

  const server = startServer();
  const admin = dialUnix(at('server.sock'));
  t.after(() => admin.close());
  const bundle = async () => bundlePemOf({ admin }).catch(() => '');
  let pem = '';
  while (pem === '') pem = await bundle();
  writeFileSync(at('bundle.pem'), pem);
  const node = { trust_domain: 'shop.example', path: '/node' };
  writeFileSync(at('token'), await joinToken({ admin }, { ttl: 60, agent_id: node }));
  await createEntries({ admin }, entryMessage('/web', '/node', [`unix:uid:${process.geteuid?.()}`]));
  const agent = startAgent();
  await healthBecomes(0);
  const before = followSecrets(t, at('w.sock'), 'default');
  await until(() => before.resources.has('default'));
  const certificate = String(
    before.resources.get('default')?.tls_certificate?.certificate_chain?.inline_bytes,
  );

  await until(() => existsSync(at('agent/svid-cache')));
  await Promise.all([endChild(server), endChild(agent)]);
  const agentAgain = startAgent();
  await healthBecomes(3);
  const after = followSecrets(t, at('w.sock'), 'default');
  await until(() => after.resources.has('default'));
  const again = String(after.resources.get('default')?.tls_certificate?.certificate_chain?.inline_bytes);
  assert.equal(again, certificate);

  const serverAgain = startServer();
  await healthBecomes(0);
  // Before their folder goes, into which they would write.
  await Promise.all([endChild(agentAgain), endChild(serverAgain)]);
});
