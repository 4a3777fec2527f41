import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { kubernetesCluster, type Review, reviewOf } from '../../../../test/support/kubernetes-api.js';
import { isFault } from '../../../base/faults/fault.js';
import { formatSelector } from '../../../registration/selector.js';
import { parseTrustDomain } from '../../../spiffe/id.js';
import { readClusters } from './clusters-file.js';
import { k8sPsatProver } from './prove.js';
import { k8sPsatVerifier } from './verify.js';

const trustDomain = parseTrustDomain('shop.example');
const pod = { name: 'agent-5d84p', uid: '56857f33-36a9-11e9-860c-080027b25557' };
const nodeUid = '2eaf5b32-36a8-11e9-860c-080027b25557';
const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';

/** A cluster with an agent's pod on a node, and a server that knows it as `prod`. */
async function setUp(t: TestContext) {
  const cluster = await kubernetesCluster(t);
  const good = () => reviewOf('plastron:agent', pod);
  cluster.reviews.set(token, good());
  cluster.objects.set(`namespaces/plastron/pods/${pod.name}`, {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: pod.name, namespace: 'plastron', uid: pod.uid, labels: { app: 'agent', other: 'x' } },
    spec: { nodeName: 'node-1', serviceAccountName: 'agent' },
    status: { phase: 'Running', hostIP: '172.16.10.1' },
  });
  cluster.objects.set('nodes/node-1', {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: { name: 'node-1', uid: nodeUid, labels: { zone: 'a', 'kubernetes.io/os': 'linux' } },
  });
  const text = `version: 1
clusters:
  - name: other
    serviceAccounts: [default:agent]
  - name: prod
    serviceAccounts: [plastron:agent]
    apiServer: ${cluster.url}
    caFile: ${cluster.caFile}
    tokenFile: ${cluster.tokenFile}
    nodeLabels: [zone]
    podLabels: [app]
`;
  const verifier = k8sPsatVerifier(readClusters({ path: 'k8s.yaml', text }), trustDomain);
  const attest = (cluster = 'prod', shown = token) => {
    const { payload, answer } = k8sPsatProver({ cluster, token: shown });
    return verifier.verify(payload, answer);
  };
  const refused = (problem: RegExp, code: 'ATT0401' | 'ATT0402' | 'ATT0403' | 'TRN0401' = 'ATT0402') =>
    assert.rejects(attest(), (error) => isFault(error, code) && problem.test(String(error)));
  return { cluster, good, attest, refused, verifier };
}

test("a pod's token gives the agent of its node, with SPIRE's selectors", async (t) => {
  const { cluster, attest } = await setUp(t);
  const agent = await attest();
  assert.equal(agent.id, `spiffe://shop.example/spire/agent/k8s_psat/prod/${nodeUid}`);
  assert.equal(agent.canReattest, true);
  assert.deepEqual(agent.selectors.map(formatSelector), [
    'k8s_psat:cluster:prod',
    'k8s_psat:agent_ns:plastron',
    'k8s_psat:agent_sa:agent',
    'k8s_psat:agent_pod_name:agent-5d84p',
    `k8s_psat:agent_pod_uid:${pod.uid}`,
    'k8s_psat:agent_node_ip:172.16.10.1',
    'k8s_psat:agent_node_name:node-1',
    `k8s_psat:agent_node_uid:${nodeUid}`,
    'k8s_psat:agent_node_label:zone:a',
    'k8s_psat:agent_pod_label:app:agent',
  ]);
  assert.deepEqual(cluster.asked, [
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: ['spire-server'] },
    },
  ]);
});

test('a token that does not prove an agent of the cluster is refused', async (t) => {
  const { cluster, good, attest, refused } = await setUp(t);
  const { user = {} } = good();
  const extra = { ...user.extra, 'authentication.kubernetes.io/pod-uid': ['another'] };
  const wrong: [review: Review, problem: RegExp][] = [
    [{ error: 'token has expired' }, /does not accept/],
    [{ ...good(), authenticated: false }, /does not accept/],
    [{ ...good(), error: 'but' }, /does not accept/],
    [{ ...good(), audiences: ['https://kubernetes.default.svc'] }, /somebody else/],
    [{ ...good(), audiences: [] }, /somebody else/],
    [{ ...good(), user: { ...user, username: 'system:node:agent:x' } }, /not that of a service account/],
    [{ ...good(), user: { ...user, username: 'kubernetes-admin' } }, /not that of a service account/],
    [reviewOf('default:agent', pod), /not one of an agent/],
    [{ ...good(), user: { ...user, extra: {} } }, /not bound to a pod/],
    [{ ...good(), user: { ...user, extra } }, /is gone/],
  ];
  for (const [review, problem] of wrong) {
    cluster.reviews.set(token, review);
    await refused(problem);
  }
  await assert.rejects(attest('staging'), (error) => isFault(error, 'ATT0402'));
});

test('S14: an API server that redirects, says too much or speaks no JSON is not believed', async (t) => {
  const { cluster, refused } = await setUp(t);
  cluster.answer = (response) => response.writeHead(307, { location: `${cluster.url}/elsewhere` }).end('{}');
  await refused(/answered with 307/, 'ATT0403');
  assert.deepEqual(cluster.requests, ['POST /apis/authentication.k8s.io/v1/tokenreviews']);
  cluster.answer = (response) => response.end(`"${'x'.repeat(5 * 1024 * 1024)}"`);
  await refused(/more than/, 'TRN0401');
  cluster.answer = (response) => response.end('<html>');
  await refused(/not JSON/, 'TRN0401');
  cluster.answer = undefined;
  writeFileSync(cluster.tokenFile, 'nobody');
  await refused(/answered with 401/, 'ATT0403');
  rmSync(cluster.tokenFile);
  await refused(/cannot be read/, 'ATT0403');
});

test('S14: only a server with a certificate of the configured authority gets to see the token', async (t) => {
  const { cluster, refused } = await setUp(t);
  const other = await kubernetesCluster(t);
  writeFileSync(cluster.caFile, readFileSync(other.caFile));
  await refused(/there was no usable answer/, 'TRN0401');
  assert.deepEqual(cluster.requests, []);
});

test('S1, S14: names and UIDs from a cluster never lead to another path or another ID', async (t) => {
  const { cluster, good, refused } = await setUp(t);
  const { user = {} } = good();
  for (const name of ['../../secrets', 'a%2fb', 'A', 'x'.repeat(300), 'a..b']) {
    const extra = { ...user.extra, 'authentication.kubernetes.io/pod-name': [name] };
    cluster.reviews.set(token, { ...good(), user: { ...user, extra } });
    await refused(/no name in Kubernetes/, 'ATT0403');
  }
  cluster.reviews.set(token, good());
  for (const uid of ['', '..', 'a/b', 'a%2e', 'x'.repeat(129), 'ü']) {
    cluster.objects.set('nodes/node-1', { metadata: { name: 'node-1', uid } });
    await refused(/no usable UID/);
  }
});

test('whatever is shown that is no token is refused without a word to the cluster', async (t) => {
  const { cluster, verifier, attest } = await setUp(t);
  const payloads = [
    '',
    'x',
    '[]',
    '{"cluster":"prod"}',
    '{"token":"a.b.c"}',
    `{"cluster":1,"token":"${token}"}`,
  ];
  for (const payload of payloads) {
    await assert.rejects(
      verifier.verify(Buffer.from(payload), async () => assert.fail()),
      (error) => isFault(error, 'ATT0401'),
    );
  }
  for (const bad of ['a b', 'a\n', 'x'.repeat(20_000), 'ü']) {
    await assert.rejects(attest('prod', bad), (error) => isFault(error, 'ATT0401'));
  }
  assert.deepEqual(cluster.requests, []);
});
