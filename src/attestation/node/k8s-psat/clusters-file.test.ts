import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../../base/faults/fault.js';
import { readClusters } from './clusters-file.js';

const read = (clusters: string) =>
  readClusters({ path: 'k8s.yaml', text: `version: 1\nclusters:\n${clusters}` });

test('a cluster is the one that the server runs in unless the file says otherwise', () => {
  const [cluster] = read('  - { name: prod, serviceAccounts: ["plastron:agent"] }\n');
  assert.deepEqual(cluster, {
    name: 'prod',
    serviceAccounts: new Set(['plastron:agent']),
    audiences: ['spire-server'],
    apiServer: {
      url: 'https://kubernetes.default.svc',
      caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
      tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    },
    nodeLabels: new Set(),
    podLabels: new Set(),
  });
});

test('what is wrong with a file is said with its place, and no cluster of it is used', () => {
  const account = 'serviceAccounts: ["a:b"]';
  const files: [clusters: string, problem: RegExp][] = [
    ['  []\n', /there is none/],
    [`  - { ${account} }\n`, /k8s\.yaml:3.*`name`/],
    ['  - { name: a }\n', /`serviceAccounts`/],
    ['  - { name: a, serviceAccounts: [] }\n', /no service account/],
    [`  - { name: a, ${account} }\n  - { name: a, ${account} }\n`, /`a` is there twice/],
    [`  - { name: .., ${account} }\n`, /`\.\.` is not/],
    [`  - { name: a/b, ${account} }\n`, /`a\/b` is not/],
    ['  - { name: a, serviceAccounts: [agent] }\n', /namespace:name/],
    [`  - { name: a, ${account}, apiServer: "http://a" }\n`, /https/],
    [`  - { name: a, ${account}, apiServer: "https://a/b" }\n`, /https/],
    [`  - { name: a, ${account}, apiServer: "https://u:p@a" }\n`, /https/],
    [`  - { name: a, ${account}, caFile: ca.crt }\n`, /absolute/],
    [`  - { name: a, ${account}, nodelabels: [x] }\n`, /nodelabels/],
  ];
  for (const [clusters, problem] of files) {
    assert.throws(
      () => read(clusters),
      (error) => isFault(error, 'ATT0404') && problem.test(String(error)),
      clusters,
    );
  }
});
