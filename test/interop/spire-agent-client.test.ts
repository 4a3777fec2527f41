import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { endChild } from '../support/children.js';
import { agentProcess } from './agent-process.js';
import { serverProcess } from './server-process.js';
import { spireAgentMissing } from './spire-agent-process.js';
import { untilSuccess } from './until-success.js';

const skip = spireAgentMissing();

test("SPIRE's own client fetches, watches and validates over our agent's socket", { skip }, async (t) => {
  const { api, follow, operator, folder } = await servedAgent(t);
  await t.test('`api fetch x509` writes an SVID that its bundle vouches for', async () => {
    const output = await untilSuccess(() => api('fetch', 'x509', '-write', folder));
    assert.match(output, /SPIFFE ID:\s+spiffe:\/\/shop\.example\/web/);
    const [svid, bundle] = ['svid.0.pem', 'bundle.0.pem'].map(
      (name) => new X509Certificate(readFileSync(join(folder, name))),
    );
    assert.ok(bundle && svid?.verify(bundle.publicKey));
  });
  await t.test('`api fetch jwt` and `api validate jwt` take the same token', async () => {
    const output = await api('fetch', 'jwt', '-audience', 'orders', '-audience', 'billing');
    const [, token = ''] = /token\(spiffe:\/\/shop\.example\/web\):\s+(\S+)/.exec(output) ?? [];
    assert.match(output, /bundle\(spiffe:\/\/shop\.example\):/);
    const validated = await api('validate', 'jwt', '-audience', 'billing', '-svid', token);
    assert.match(validated, /SVID is valid/);
    assert.match(validated, /spiffe:\/\/shop\.example\/web/);
    await assert.rejects(api('validate', 'jwt', '-audience', 'shipping', '-svid', token));
  });
  await t.test('`api watch` sees another identity come', async () => {
    const seen = follow('watch');
    await untilSuccess(async () => assert.match(seen(), /spiffe:\/\/shop\.example\/web/));
    assert.doesNotMatch(seen(), /batch/);
    await operator(
      ...['entry', 'create', '--spiffe-id', 'spiffe://shop.example/batch'],
      ...['--parent-id', 'spiffe://shop.example/node/demo', '--selector', `unix:uid:${process.geteuid?.()}`],
    );
    await untilSuccess(async () => assert.match(seen(), /spiffe:\/\/shop\.example\/batch/));
  });
});

/** Our server and our agent as processes, an entry `web` for this user, and the client's commands. */
async function servedAgent(t: TestContext) {
  const { folder, port, bundle, operator } = await serverProcess(t);
  const id = (path: string) => `spiffe://shop.example${path}`;
  await operator(
    ...['entry', 'create', '--spiffe-id', id('/web'), '--parent-id', id('/node/demo')],
    ...['--selector', `unix:uid:${process.geteuid?.()}`],
  );
  const joinToken = await operator('node', 'token', '--spiffe-id', id('/node/demo'));
  const { socket } = agentProcess(t, { folder, port, bundle, joinToken });
  const program = process.env.SPIRE_AGENT_BIN ?? '';
  const args = (command: readonly string[]) => ['api', ...command, '-socketPath', socket];
  return {
    folder,
    operator,
    async api(...command: string[]) {
      const { stdout } = await promisify(execFile)(program, args(command), { encoding: 'utf8' });
      return stdout;
    },
    /** What a command that goes on has printed so far. */
    follow(...command: string[]) {
      const child = spawn(program, args(command), { stdio: ['ignore', 'pipe', 'ignore'] });
      t.after(() => endChild(child));
      let text = '';
      child.stdout.on('data', (data) => {
        text += data;
      });
      return () => text;
    },
  };
}
