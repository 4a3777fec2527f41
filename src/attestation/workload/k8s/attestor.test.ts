import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { testCa } from '../../../../test/support/ca.js';
import { temporaryFolder } from '../../../../test/support/children.js';
import { containerId, podOfKubelet, podUid, testKubelet } from '../../../../test/support/kubelet.js';
import { fakeProc } from '../../../../test/support/proc.js';
import { isFault } from '../../../base/faults/fault.js';
import type { FaultCode } from '../../../base/faults/table.js';
import { type K8sAttestorOptions, k8sAttestor } from './attestor.js';

const patience = { attempts: 2, intervalMs: 300 };
const inside = `0::/kubepods/burstable/pod${podUid}/${containerId}`;

async function node(t: TestContext) {
  const kubelet = await testKubelet(t);
  const proc = fakeProc(temporaryFolder(t));
  const { url, caFile, tokenFile } = kubelet;
  const attestorWith = (options: Partial<K8sAttestorOptions> = {}) =>
    k8sAttestor({ kubelet: { url, caFile, tokenFile }, proc: proc.path, patience, ...options });
  const valuesOf = async (group: string, options: Partial<K8sAttestorOptions> = {}) => {
    const { selectors } = await attestorWith(options).attest(proc.put(7, group));
    return selectors.map(({ type, value }) => `${type}:${value}`);
  };
  const refused = (code: FaultCode, group = inside, options: Partial<K8sAttestorOptions> = {}) =>
    assert.rejects(valuesOf(group, options), (error) => isFault(error, code));
  return { kubelet, proc, attestorWith, valuesOf, refused };
}

const image = 'docker.io/library/web:1';
const digest =
  'docker.io/library/web@sha256:bf862e5f5eca0a73e7e538224578c5cf867ce2be91b5eaed22afc153c00363eb';
const ofPod = [
  'k8s:sa:web-account',
  'k8s:ns:shop',
  'k8s:node-name:node-1',
  `k8s:pod-uid:${podUid}`,
  'k8s:pod-name:web-7d4b9c-x2v5k',
  'k8s:pod-image-count:2',
  'k8s:pod-init-image-count:1',
  'k8s:pod-image:docker.io/library/sidecar:2',
  `k8s:pod-image:${image}`,
  `k8s:pod-image:${digest}`,
  'k8s:pod-init-image:docker.io/library/setup:1',
  'k8s:pod-init-image:sha256:setup',
  'k8s:pod-label:app:web',
  'k8s:pod-label:pod-template-hash:7d4b9c',
  'k8s:pod-owner:ReplicaSet:web-7d4b9c',
  'k8s:pod-owner-uid:ReplicaSet:owner-uid',
];
const ofContainer = [
  'k8s:container-name:web',
  `k8s:container-image:${image}`,
  `k8s:container-image:${digest}`,
];

test('a process in a pod has the selectors of its pod and its container, over TLS and the read-only port', async (t) => {
  const { kubelet, valuesOf } = await node(t);
  assert.deepEqual(await valuesOf(inside), [...ofPod, ...ofContainer]);
  const { readOnlyPort } = kubelet;
  assert.deepEqual(await valuesOf(inside, { kubelet: { readOnlyPort } }), [...ofPod, ...ofContainer]);
  assert.deepEqual(await valuesOf(inside, { containers: false }), ofPod);
});

test('an init container is one of the pod, and a pod whose UID is not in the path is found by its container', async (t) => {
  const { valuesOf } = await node(t);
  const init = await valuesOf(`0::/kubepods/pod${podUid}/${'a'.repeat(64)}`);
  assert.ok(init.includes('k8s:container-name:setup'));
  const static_ = await valuesOf(`0::/kubepods/pod0123456789abcdef0123456789abcdef/${containerId}`);
  assert.deepEqual(static_, [...ofPod, ...ofContainer]);
});

test('S25: a process in no container, or in one that is no pod, gets nothing', async (t) => {
  const { kubelet, valuesOf } = await node(t);
  assert.deepEqual(await valuesOf('0::/system.slice/nginx.service'), []);
  assert.deepEqual(kubelet.requests, []);
  assert.deepEqual(await valuesOf(`0::/docker/${'b'.repeat(64)}`), []);
});

test('S25: a container that the kubelet does not know in that pod is refused, without its container the pod counts', async (t) => {
  const { kubelet, valuesOf, refused } = await node(t);
  const unknown = `0::/kubepods/pod${podUid}/${'b'.repeat(64)}`;
  await refused('ATT0110', unknown);
  assert.deepEqual(await valuesOf(unknown, { containers: false }), ofPod);
  const elsewhere = `0::/kubepods/pod99999999-b29f-11e7-9350-020968147796/${containerId}`;
  await refused('ATT0110', elsewhere);
  await refused('ATT0110', elsewhere, { containers: false });
  kubelet.pods = [podOfKubelet(), podOfKubelet('99999999-b29f-11e7-9350-020968147796')];
  await refused('ATT0109', `0::/../crio-${containerId}.scope`);
});

test('a container that the kubelet does not know yet is asked for again', async (t) => {
  const { kubelet, attestorWith, proc } = await node(t);
  const pods = kubelet.pods.splice(0);
  const attested = attestorWith({ patience: { attempts: 100, intervalMs: 10 } }).attest(proc.put(7, inside));
  while (kubelet.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  kubelet.pods = pods;
  assert.ok((await attested).selectors.length > 0);
});

test('S25: without a usable answer there are no selectors, and whoever is not the kubelet is not believed', async (t) => {
  const { kubelet, refused } = await node(t);
  const answers: [FaultCode, status: number, body: string][] = [
    ['ATT0109', 403, '{"kind":"Status"}'],
    ['ATT0109', 302, '{}'],
    ['ATT0109', 200, '{"kind":"Status"}'],
    ['TRN0401', 200, 'not JSON'],
  ];
  for (const [code, status, body] of answers) {
    kubelet.answer = (response) => void response.writeHead(status, { location: '/x' }).end(body);
    await refused(code);
  }
  kubelet.answer = undefined;
  const { url, caFile, tokenFile } = kubelet;
  await refused('ATT0109', inside, { kubelet: { url, caFile, tokenFile: `${tokenFile}.none` } });
  const asked = kubelet.requests.length;
  writeFileSync(caFile, testCa('other.example').certificate.pem);
  await refused('TRN0401');
  assert.equal(kubelet.requests.length, asked, 'the token was shown to somebody else');
});

test('S30: workloads that come together ask the kubelet once', async (t) => {
  const { kubelet, attestorWith, proc } = await node(t);
  const attestor = attestorWith();
  const peers = Array.from({ length: 50 }, (_, index) => proc.put(1000 + index, inside));
  await Promise.all(peers.map((peer) => attestor.attest(peer)));
  assert.deepEqual(kubelet.requests, ['GET /pods']);
});
