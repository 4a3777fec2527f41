import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endChild } from '../support/children.js';
import { serverProcess } from './server-process.js';

const source = fileURLToPath(new URL('../../../test/interop/go-agent', import.meta.url));

test("an agent in Go, of SPIRE's API and go-spiffe, lives with our server", {
  skip: whyNot(),
}, async (t) => {
  const server = await serverProcess(t);
  const program = join(server.folder, 'go-agent');
  go('build', '-o', program, '.');
  const { lines, errors, code } = await outputOf(t, program, await planFor(server));
  for (const { step, error } of lines) await t.test(step, () => assert.equal(error, undefined));
  assert.deepEqual({ errors, code }, { errors: '', code: 0 });
});

test('the agent in Go is formatted and go vet finds nothing in it', { skip: whyNot() }, () => {
  const { stdout, stderr } = spawnSync('gofmt', ['-l', '.'], { cwd: source, encoding: 'utf8' });
  assert.deepEqual({ stdout, stderr }, { stdout: '', stderr: '' });
  go('vet', './...');
});

/** Only what is missing on this machine is a reason; a program that does not compile is a failure. */
function whyNot(): string | false {
  const { error, status, stderr } = spawnSync('go', ['mod', 'download'], { cwd: source, encoding: 'utf8' });
  if (error) return `needs Go (${error.message})`;
  return status === 0 ? false : `needs Go and its modules (${stderr.trim()})`;
}

function go(...args: string[]): void {
  const { status, stderr } = spawnSync('go', args, { cwd: source, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

/** Two nodes: one has a few entries, the other more than two pages of them. */
async function planFor({
  folder,
  port,
  adminSocket,
  operator,
  bundle,
}: Awaited<ReturnType<typeof serverProcess>>) {
  const few = [
    {
      id: 'web',
      spiffeId: 'spiffe://shop.example/web',
      ttl: 600,
      dnsNames: ['web.shop.example'],
      hint: 'in',
    },
    { id: 'orders', spiffeId: 'spiffe://shop.example/orders', ttl: 3600, dnsNames: [], hint: '' },
  ];
  for (const { id, spiffeId, ttl, dnsNames, hint } of few) {
    const parent = ['--parent-id', nodeId('few'), '--selector', 'unix:uid:1000'];
    const more = ['--x509-svid-ttl', String(ttl), ...dnsNames.flatMap((name) => ['--dns-name', name])];
    const named = hint ? ['--hint', hint] : [];
    await operator('entry', 'create', '--id', id, '--spiffe-id', spiffeId, ...parent, ...more, ...named);
  }
  const manyCount = 1001;
  writeFileSync(join(folder, 'many.yaml'), manyEntries(manyCount));
  await operator('entry', 'apply', '-f', join(folder, 'many.yaml'));
  return {
    trustDomain: 'shop.example',
    server: `127.0.0.1:${port}`,
    adminSocket,
    bundle,
    few,
    fewToken: await operator('node', 'token', '--spiffe-id', nodeId('few')),
    manyCount,
    manyToken: await operator('node', 'token', '--spiffe-id', nodeId('many')),
  };
}

const nodeId = (name: string) => `spiffe://shop.example/node/${name}`;

function manyEntries(count: number): string {
  const entries = Array.from(
    { length: count },
    (_, i) => `
  - spiffeId: spiffe://shop.example/many/${i}
    parentId: ${nodeId('many')}
    selectors: unix:uid:1000`,
  );
  return `version: 1\nentries:${entries.join('')}\n`;
}

async function outputOf(t: TestContext, program: string, plan: object) {
  const child = spawn(program, { stdio: 'pipe' });
  t.after(() => endChild(child));
  child.stdin.end(JSON.stringify(plan));
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  const lines = output.split('\n').filter(Boolean);
  return {
    lines: lines.map((line) => JSON.parse(line) as { step: string; error?: string }),
    errors,
    code,
  };
}
