import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { recordingLog } from '../../test/support/log.js';
import { followSecrets, runningAgent } from '../../test/support/running-agent.js';
import {
  createEntries,
  demoNode,
  entryMessage,
  joinToken,
  runningServer,
} from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';

test('S26: a workload’s private key is in no file and in no line of a log, of the agent or the server', async (t) => {
  const log = recordingLog();
  const server = await runningServer(t, { log });
  const token = await joinToken(server, demoNode);
  const { settings } = await runningAgent(t, server, { joinToken: { token }, log });
  const proxy = followSecrets(t, settings.socket, 'default');
  await createEntries(server, entryMessage('/web', '/node/demo', [`unix:uid:${process.geteuid?.()}`]));
  await until(() => proxy.resources.has('default'));
  const pem = String(proxy.resources.get('default')?.tls_certificate?.private_key?.inline_bytes);
  const { d = '' } = createPrivateKey(pem).export({ format: 'jwk' });
  const secret = Buffer.from(d, 'base64url');
  const [, line = ''] = pem.split('\n');
  const spellings = [secret, ...[secret.toString('hex'), d, secret.toString('base64'), line].map(bytesOf)];
  const written = [dirname(settings.dataDir), server.dataDir].flatMap(filesIn);
  assert.ok(written.length > 1);
  const logged = Buffer.from(JSON.stringify(log.lines, (_, value) => value ?? null));
  for (const spelling of spellings) {
    for (const file of written) assert.ok(!readFileSync(file).includes(spelling), file);
    assert.ok(!logged.includes(spelling));
  }
});

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
