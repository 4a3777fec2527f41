import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../../../test/support/children.js';
import { containerOfEngine, dockerEngine } from '../../../../test/support/docker-engine.js';
import { fakeProc } from '../../../../test/support/proc.js';
import { isFault } from '../../../base/faults/fault.js';
import type { FaultCode } from '../../../base/faults/table.js';
import { dockerAttestor } from './attestor.js';

const id = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
const patience = { attempts: 3, intervalMs: 1 };

/** An engine with one container, whose first process is 100, and an attestor that asks it. */
async function node(t: TestContext) {
  const engine = await dockerEngine(t);
  const proc = fakeProc(temporaryFolder(t));
  proc.put(100, `0::/system.slice/docker-${id}.scope/init`);
  const container = containerOfEngine(id, 100);
  engine.containers.set(id, container);
  const attestor = dockerAttestor({ socket: engine.socket, proc: proc.path, patience });
  const valuesOf = async (...groups: string[]) =>
    (await attestor.attest(proc.put(7, ...groups))).selectors.map(({ type, value }) => `${type}:${value}`);
  const refused = (code: FaultCode, ...groups: string[]) =>
    assert.rejects(valuesOf(...groups), (error) => isFault(error, code));
  return { engine, proc, container, attestor, valuesOf, refused };
}

const inside = `0::/system.slice/docker-${id}.scope`;

test('a process in a container has its labels, environment, image name and image digest', async (t) => {
  const { engine, container, valuesOf } = await node(t);
  assert.deepEqual(await valuesOf(inside), [
    'docker:label:com.example.name:web',
    'docker:env:ENVIRONMENT=prod',
    'docker:env:PATH=/usr/bin',
    'docker:image_id:envoyproxy/envoy:contrib-v1.29.1',
    'docker:image_config_digest:sha256:644f45f6626c2b8c0d7a1e4f4a8c3f6b6f1d9a0b7c8d9e0f1a2b3c4d5e6f7a8b',
  ]);
  assert.deepEqual(engine.requests, ['GET /version', `GET /v1.47/containers/${id}/json`]);
  Object.assign(container.Config, { Labels: null, Env: null, Image: '' });
  assert.deepEqual(await valuesOf(inside), [`docker:image_config_digest:${container.Image}`]);
});

test('S25: a process in no container gets nothing, and the engine is not asked', async (t) => {
  const { engine, valuesOf } = await node(t);
  assert.deepEqual(await valuesOf('0::/system.slice/nginx.service'), []);
  assert.deepEqual(engine.requests, []);
});

test('S24: a group that only has the name of a container proves nothing', async (t) => {
  const { valuesOf, refused, proc } = await node(t);
  await refused('ATT0108', `0::/user.slice/user-1000.slice/user@1000.service/docker-${id}.scope`);
  await refused('ATT0108', `0::/system.slice/docker-${'f'.repeat(64)}.scope/docker-${id}.scope`);
  assert.ok((await valuesOf(inside)).length > 0);
  proc.put(100, '0::/');
  await refused('ATT0108', inside);
});

test('S25: without a usable answer there are no selectors', async (t) => {
  const { engine, container, refused } = await node(t);
  const version = { ApiVersion: '1.47/containers/x' };
  const answers: [FaultCode, status: number, body: unknown, ofPath?: RegExp][] = [
    ['ATT0107', 200, { ...container, Id: 'f'.repeat(64) }],
    ['ATT0107', 200, { ...container, Config: null }],
    ['ATT0107', 200, { ...container, State: { Pid: 0 } }],
    ['ATT0107', 404, { message: 'No such container' }],
    ['ATT0107', 500, { message: 'broken' }],
    ['ATT0107', 301, {}],
    ['ATT0107', 200, version, /^\/version$/],
    ['TRN0401', 200, 'not JSON'],
    ['TRN0401', 200, `{"Id":"${id}","Id":"${id}"}`],
  ];
  for (const [code, status, body, ofPath = /containers/] of answers) {
    engine.answer = (url, response) => {
      if (!ofPath.test(url)) return false;
      response
        .writeHead(status, { location: '/elsewhere' })
        .end(typeof body === 'string' ? body : JSON.stringify(body));
      return true;
    };
    await refused(code, inside);
  }
  const nowhere = dockerAttestor({ socket: '/nonexistent/docker.sock', patience });
  const peer = { kind: 'unix', pid: process.pid, uid: 0, gid: 0, isAlive: () => true } as const;
  assert.deepEqual((await nowhere.attest(peer)).selectors, []);
});

test('a container that the engine does not know yet is asked for again', async (t) => {
  const { engine, valuesOf } = await node(t);
  let asked = 0;
  engine.answer = (url, response) => {
    if (!url.includes('containers') || ++asked > 1) return false;
    response.writeHead(404).end('{}');
    return true;
  };
  assert.ok((await valuesOf(inside)).length > 0);
});

test('S30: workloads of one container that come together ask the engine once', async (t) => {
  const { engine, attestor, proc } = await node(t);
  const peers = Array.from({ length: 50 }, (_, index) => proc.put(1000 + index, inside));
  await Promise.all(peers.map((peer) => attestor.attest(peer)));
  assert.equal(engine.requests.length, 2);
});
