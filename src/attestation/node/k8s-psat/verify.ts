import { fault } from '../../../base/faults/fault.js';
import type { Selector } from '../../../registration/entry.js';
import { checkSelector } from '../../../registration/selector.js';
import { type SpiffeId, type TrustDomain, workloadId } from '../../../spiffe/id.js';
import type { NodeVerifier } from '../verifier.js';
import type { Cluster } from './cluster.js';
import { type KubernetesApi, type KubernetesObject, kubernetesApi } from './kubernetes-api.js';
import { k8sPsatType, readEvidence } from './protocol.js';

/**
 * Accepts a node whose agent shows the projected service account token of its pod: SPIRE's `k8s_psat`. The cluster's own API
 * server says whose token it is, and on which node that pod runs. The agent is called
 * `/spire/agent/k8s_psat/<cluster>/<UID of the node>` and can attest again. Throws ATT0401 for what cannot be read, ATT0402 for
 * what is not accepted, ATT0403 and TRN0401 when the API server does not help.
 */
export function k8sPsatVerifier(clusters: readonly Cluster[], trustDomain: TrustDomain): NodeVerifier {
  return {
    type: k8sPsatType,
    verify: async (payload) => {
      const { cluster: name, token } = readEvidence(payload);
      const cluster = clusters.find((each) => each.name === name);
      if (!cluster) throw refuse(`this server knows no cluster \`${name}\``);
      const api = kubernetesApi(cluster.apiServer);
      const account = await accountOf(token, cluster, api);
      const pod = await api.pod(account.namespace, account.podName);
      if (pod.uid !== account.podUid) throw refuse('the pod that the token was made for is gone');
      const nodeName = pod.text('spec', 'nodeName');
      if (nodeName === '') throw refuse('its pod is on no node');
      const node = await api.node(nodeName);
      const selectors = selectorsOf(cluster, account, pod, node);
      return { id: agentId(trustDomain, cluster, node), selectors, canReattest: true };
    },
  };
}

/** Whose token it is: the service account, and the pod that it was made for. */
interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly podName: string;
  readonly podUid: string;
}

async function accountOf(
  token: string,
  { audiences, serviceAccounts }: Cluster,
  api: KubernetesApi,
): Promise<Account> {
  const status = await api.reviewToken(token, audiences);
  if (!status) throw refuse('the cluster does not accept its token');
  // An API server that knows nothing of audiences leaves them out.
  if (!status.audiences.some((audience) => audiences.includes(audience))) {
    throw refuse('its token is meant for somebody else');
  }
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(status.username) ?? [];
  if (namespace === undefined || name === undefined)
    throw refuse('its token is not that of a service account');
  if (!serviceAccounts.has(`${namespace}:${name}`)) {
    throw refuse(`the service account \`${namespace}:${name}\` is not one of an agent`);
  }
  const podName = status.extra('authentication.kubernetes.io/pod-name');
  const podUid = status.extra('authentication.kubernetes.io/pod-uid');
  if (!podName || !podUid) throw refuse('its token is not bound to a pod');
  return { namespace, name, podName, podUid };
}

/** The UID comes from the cluster and goes into the ID as it is, one segment and no more (S1, S14). */
function agentId(trustDomain: TrustDomain, cluster: Cluster, { uid }: KubernetesObject): SpiffeId {
  if (!/^[A-Za-z0-9-]{1,128}$/.test(uid)) throw refuse('its node has no usable UID');
  return workloadId(trustDomain, `/spire/agent/${k8sPsatType}/${cluster.name}/${uid}`);
}

function selectorsOf(
  { name, nodeLabels, podLabels }: Cluster,
  account: Account,
  pod: KubernetesObject,
  node: KubernetesObject,
): Selector[] {
  const facts: [name: string, value: string][] = [
    ['cluster', name],
    ['agent_ns', account.namespace],
    ['agent_sa', account.name],
    ['agent_pod_name', account.podName],
    ['agent_pod_uid', account.podUid],
    ['agent_node_ip', pod.text('status', 'hostIP')],
    ['agent_node_name', pod.text('spec', 'nodeName')],
    ['agent_node_uid', node.uid],
    ...labelled('agent_node_label', node, nodeLabels),
    ...labelled('agent_pod_label', pod, podLabels),
  ];
  return facts
    .filter(([, value]) => value !== '')
    .map(([fact, value]) => checkSelector({ type: k8sPsatType, value: `${fact}:${value}` }));
}

function labelled(
  fact: string,
  { labels }: KubernetesObject,
  wanted: ReadonlySet<string>,
): [name: string, value: string][] {
  return [...labels].filter(([key]) => wanted.has(key)).map(([key, value]) => [fact, `${key}:${value}`]);
}

const refuse = (problem: string) => fault('ATT0402', { problem });
