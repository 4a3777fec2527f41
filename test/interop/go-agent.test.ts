import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/children.js';
import { buildGoAgent, goMissing, goSource } from './go-agent-program.js';
import { passSteps } from './program-steps.js';
import { serverProcess } from './server-process.js';
import { spireServerMissing, spireServerProcess } from './spire-server-process.js';

test("an agent in Go, of SPIRE's API and go-spiffe, lives with our server", {
  skip: goMissing(),
}, async (t) => {
  const { program, pki } = nodes(t);
  const server = await serverProcess(t, ['--x509pop-ca', join(pki, 'node-ca.pem')]);
  await live(t, program, { ...server, pki, spire: false });
});

test("the same agent makes the same steps with SPIRE's own server", {
  skip: goMissing() || spireServerMissing(),
}, async (t) => {
  const { program, pki } = nodes(t);
  const server = await spireServerProcess(t, join(pki, 'node-ca.pem'));
  await live(t, program, { ...server, pki, spire: true });
});

test('the agent in Go is formatted and go vet finds nothing in it', { skip: goMissing() }, () => {
  const { stdout, stderr } = spawnSync('gofmt', ['-l', '.'], { cwd: goSource, encoding: 'utf8' });
  assert.deepEqual({ stdout, stderr }, { stdout: '', stderr: '' });
  const vet = spawnSync('go', ['vet', './...'], { cwd: goSource, encoding: 'utf8' });
  assert.equal(vet.status, 0, vet.stderr);
});

/** The program, and nodes with certificates that it made. */
function nodes(t: TestContext) {
  const pki = temporaryFolder(t);
  const program = buildGoAgent(pki);
  const { status, stderr } = spawnSync(program, ['pki', pki], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return { program, pki };
}

interface Place {
  port: number;
  adminSocket: string;
  pki: string;
  spire: boolean;
}

async function live(t: TestContext, program: string, { port, adminSocket, pki, spire }: Place) {
  const plan = { trustDomain: 'shop.example', server: `127.0.0.1:${port}`, adminSocket, pki, spire };
  await passSteps(t, [program, 'steps'], plan);
}
