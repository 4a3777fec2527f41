import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { freePort, startPlastron } from '../../test/support/plastron.js';
import { bundlePemOf } from '../../test/support/running-agent.js';
import { agentApi, joinToken, runningServer } from '../../test/support/running-server.js';
import { transcript } from '../../test/support/transcript.js';
import { until } from '../../test/support/until.js';

const where = '--trust-domain shop.example --server 127.0.0.1:1 --data-dir d --socket s --admin-socket a';

test('an agent wants to be told how to trust its server, in exactly one way', async (t) => {
  const hex = 'a'.repeat(64);
  const shown = await transcript(t, {}, [
    `agent run ${where}`,
    `agent run ${where} --trust-bundle-sha256 ${hex} --insecure-bootstrap`,
    `agent run ${where} --trust-bundle-sha256 abc`,
    `agent run ${where} --trust-bundle none.pem`,
  ]);
  const [none, two, short, missing] = shown.split('\n\n');
  for (const text of [none, two]) assert.match(text ?? '', /error\[CLI0301\]/);
  assert.match(short ?? '', /Give 64 hexadecimal digits/);
  assert.match(missing ?? '', /error\[CLI0201\]/);
  assert.equal(shown.match(/exit 2/g)?.length, 4);
});

test('a foreign server, a used token and no token end the start, with a code for each', async (t) => {
  const server = await runningServer(t);
  const foreign = await runningServer(t);
  const bundles = { 'ours.pem': await bundlePemOf(server), 'foreign.pem': await bundlePemOf(foreign) };
  const folder = temporaryFolder(t);
  const run = (bundle: string, more = '') =>
    `agent run --trust-domain shop.example --server ${server.address} --trust-bundle ${bundle} ` +
    `--data-dir ${folder}/d --socket ${folder}/w.sock --admin-socket ${folder}/a.sock --log-level error${more}`;
  const token = 'f'.repeat(48);
  const shown = await transcript(t, { ...bundles, token }, [
    run('foreign.pem', ' --join-token-file token'),
    run('ours.pem', ' --join-token-file token'),
    run('ours.pem'),
  ]);
  assert.deepEqual(shown.match(/error\[\w+\]/g), ['error[AGT0201]', 'error[AGT0402]', 'error[AGT0401]']);
  assert.equal(shown.match(/exit 5/g)?.length, 3);
  assert.ok(!shown.includes(token), 'S11: the token is shown');
});

test('insecure bootstrap is loud on stderr', async (t) => {
  const server = await runningServer(t);
  const shown = await transcript(t, {}, [
    `agent run --trust-domain shop.example --server ${server.address} --insecure-bootstrap ` +
      `--data-dir d --socket w.sock --admin-socket ${temporaryFolder(t)}/a.sock --log-level error`,
  ]);
  assert.match(shown, /err\| INSECURE: --insecure-bootstrap trusts whichever server answers first/);
});

test('an agent runs until it is asked to stop, and then ends with 0', { timeout: 60_000 }, async (t) => {
  const server = await runningServer(t);
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  writeFileSync(at('token'), await joinToken(server), { mode: 0o600 });
  const child = startPlastron(t, ['agent', 'run', '--join-token-file', at('token')], {
    PLASTRON_TRUST_DOMAIN: 'shop.example',
    PLASTRON_SERVER: server.address,
    PLASTRON_DATA_DIR: at('data'),
    PLASTRON_SOCKET: at('w.sock'),
    PLASTRON_ADMIN_SOCKET: at('a.sock'),
    PLASTRON_TRUST_BUNDLE_SHA256: server.bundleSha256(),
  });
  const attested = async () => ((await server.admin.unary(agentApi.ListAgents, {})).agents ?? []).length;
  await until(async () => (await attested()) > 0);
  const health = () => transcript(t, {}, [`agent health --admin-socket ${at('a.sock')}`]);
  await until(async () => /exit 0/.test(await health()));
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('an agent that waits for its server can be stopped too', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  const child = startPlastron(t, [
    ...['agent', 'run', '--trust-domain', 'shop.example', '--server', `127.0.0.1:${await freePort()}`],
    ...['--data-dir', at('data'), '--socket', at('w.sock'), '--admin-socket', at('a.sock')],
    ...['--insecure-bootstrap', '--join-token-file', at('none')],
  ]);
  // Without a token there is nothing to wait for.
  const [code] = await once(child, 'exit');
  assert.equal(code, 5);

  writeFileSync(at('token'), 'f'.repeat(48));
  const waiting = startPlastron(t, [
    ...['agent', 'run', '--trust-domain', 'shop.example', '--server', `127.0.0.1:${await freePort()}`],
    ...['--data-dir', at('data'), '--socket', at('w.sock'), '--admin-socket', at('a.sock')],
    ...['--insecure-bootstrap', '--join-token-file', at('token')],
  ]);
  const health = () => transcript(t, {}, [`agent health --admin-socket ${at('a.sock')}`]);
  await until(async () => /exit 1/.test(await health()));
  waiting.kill('SIGTERM');
  assert.deepEqual(await once(waiting, 'exit'), [0, null]);
});
