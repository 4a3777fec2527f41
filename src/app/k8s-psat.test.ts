import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { kubernetesCluster, reviewOf } from '../../test/support/kubernetes-api.js';
import { runningAgent } from '../../test/support/running-agent.js';
import { agentApi, createEntries, entryMessage, runningServer } from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';
import { isFault } from '../base/faults/fault.js';

test('an agent in a pod attests by its Kubernetes token, and has the entries of its node', async (t) => {
  const cluster = await kubernetesCluster(t);
  const pod = { name: 'agent-1', uid: 'pod-uid' };
  cluster.reviews.set('a.b.c', reviewOf('plastron:agent', pod));
  cluster.objects.set('namespaces/plastron/pods/agent-1', {
    metadata: { name: 'agent-1', uid: 'pod-uid' },
    spec: { nodeName: 'node-1' },
    status: { hostIP: '10.0.0.7' },
  });
  cluster.objects.set('nodes/node-1', { metadata: { name: 'node-1', uid: 'node-uid' } });
  const { url, caFile, tokenFile } = cluster;
  const text = JSON.stringify({
    version: 1,
    clusters: [{ name: 'prod', serviceAccounts: ['plastron:agent'], apiServer: url, caFile, tokenFile }],
  });
  const server = await runningServer(t, { attestors: { k8sPsat: { path: 'k8s.yaml', text } } });
  await createEntries(
    server,
    entryMessage('/nodes/prod', '/spire/server', ['k8s_psat:cluster:prod']),
    entryMessage('/web', '/nodes/prod', ['unix:uid:4711']),
  );
  const k8sPsat = { cluster: 'prod', tokenFile: join(temporaryFolder(t), 'token') };
  await assert.rejects(runningAgent(t, server, { k8sPsat }), (error) => isFault(error, 'ATT0406'));
  writeFileSync(k8sPsat.tokenFile, 'x.y.z\n');
  await assert.rejects(
    runningAgent(t, server, { k8sPsat }),
    (error) => isFault(error, 'AGT0402') && /ATT0402/.test(String(error)),
  );
  writeFileSync(k8sPsat.tokenFile, 'a.b.c\n');
  const { agent } = await runningAgent(t, server, { k8sPsat });
  await until(() => agent.status().svids === 1);
  assert.equal(agent.status().id, 'spiffe://shop.example/spire/agent/k8s_psat/prod/node-uid');
  const { agents = [] } = await server.admin.unary(agentApi.ListAgents, {});
  assert.deepEqual(
    agents.map(({ attestation_type, can_reattest }) => [attestation_type, can_reattest]),
    [['k8s_psat', true]],
  );
});
