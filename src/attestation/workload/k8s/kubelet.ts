import { fault } from '../../../base/faults/fault.js';
import type { Json } from '../../../base/json.js';
import { jsonAt, textAt } from '../../../base/json-path.js';
import { httpsJson } from '../../../transport/https-json.js';
import type { JsonAnswer } from '../../../transport/json-exchange.js';
import { localJson } from '../../../transport/local-json.js';
import { type ClusterFiles, clusterCredentials } from '../../cluster-credentials.js';

/** How the kubelet of this node is asked for its pods. */
export type Kubelet =
  | (ClusterFiles & {
      /** `https://host:port`. The agent's service account may get `nodes/proxy` or `nodes/pods`. */
      readonly url: string;
    })
  | {
      /** On 127.0.0.1, where the kubelet answers everybody. */
      readonly readOnlyPort: number;
    };

/** A pod as the kubelet tells it (`v1.Pod`). */
export type Pod = Json;

const timeoutMs = 10_000;
/** A node has 110 pods unless told otherwise; a pod is seldom above 20 KB. */
const maxBytes = 64 * 1024 * 1024;

/** The pods of the node by UID. Throws ATT0109 when there is no usable answer. */
export async function podsOfNode(kubelet: Kubelet): Promise<ReadonlyMap<string, Pod>> {
  const { status, body } = await answerOf(kubelet);
  const items = jsonAt(body, 'items');
  if (status !== 200) throw fault('ATT0109', { problem: `it answered /pods with ${status}` });
  if (!Array.isArray(items)) throw fault('ATT0109', { problem: 'its answer is no list of pods' });
  return new Map(items.map((pod) => [textAt(pod, 'metadata', 'uid'), pod]));
}

async function answerOf(kubelet: Kubelet): Promise<JsonAnswer> {
  if ('readOnlyPort' in kubelet) {
    return localJson({ at: { port: kubelet.readOnlyPort }, path: '/pods', timeoutMs, maxBytes });
  }
  return httpsJson({
    url: new URL('/pods', kubelet.url),
    ...clusterCredentials(kubelet, (problem, cause) => fault('ATT0109', { problem }, { cause })),
    ...{ timeoutMs, maxBytes },
  });
}
