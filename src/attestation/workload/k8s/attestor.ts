import { fault } from '../../../base/faults/fault.js';
import { shared } from '../../../base/share.js';
import { nothingToSay, type WorkloadAttestor } from '../attestor.js';
import { type ContainerPlace, containerOf, isIn } from '../container/container-of.js';
import { type Patience, untilKnown } from '../container/until-known.js';
import { type Kubelet, type Pod, podsOfNode } from './kubelet.js';
import { containerIn, containerValues, podValues } from './pod.js';

export interface K8sAttestorOptions {
  kubelet: Kubelet;
  /**
   * Whether a workload's container counts (SPIRE: `disable_container_selectors`). Without, there are no `container-*`
   * selectors, and a pod is served before the kubelet knows its containers, as while a postStart hook runs.
   */
  containers?: boolean;
  /** Where processes are looked at; another folder in tests. Default `/proc`. */
  proc?: string;
  /** A container runs a while before the kubelet says so. */
  patience?: Patience;
}

/**
 * SPIRE's `k8s` workload attestor, with its selectors: `k8s:ns:`, `sa:`, `node-name:`, `pod-name:`, `pod-uid:`,
 * `pod-label:<name>:<value>`, `pod-owner:<kind>:<name>`, `pod-owner-uid:<kind>:<uid>`, `pod-image:`, `pod-init-image:`,
 * `pod-image-count:`, `pod-init-image-count:`, `container-name:` and `container-image:`.
 *
 * Control groups say which container a process is in, the kubelet of the node says what that is. Its list of pods is asked for
 * at most four times a second, however many workloads come. A process in no container gets nothing, and neither does a
 * container without a pod that the kubelet does not know. Throws ATT0106, ATT0109, ATT0110 and TRN0401.
 */
export function k8sAttestor(options: K8sAttestorOptions): WorkloadAttestor {
  const { kubelet, containers = true, proc = '/proc' } = options;
  const patience = options.patience ?? { attempts: 60, intervalMs: 500 };
  const pods = shared(() => podsOfNode(kubelet), 250);
  return {
    type: 'k8s',
    async attest(peer) {
      const place = containerOf(proc, peer.pid);
      const stillHold = () => isIn(place, proc, peer.pid);
      if (!place) return nothingToSay(stillHold);
      const values = await untilKnown(patience, peer.isAlive, async () =>
        valuesOf(place, await pods('node'), containers),
      );
      if (values) return { selectors: values.map((value) => ({ type: 'k8s', value })), stillHold };
      if (place.podUid === undefined) return nothingToSay(stillHold);
      throw fault('ATT0110', { pid: peer.pid, pod: place.podUid });
    },
  };
}

/** `undefined` while the kubelet does not know the container. */
function valuesOf(
  place: ContainerPlace,
  pods: ReadonlyMap<string, Pod>,
  containers: boolean,
): string[] | undefined {
  const { containerId, podUid } = place;
  const own = podUid === undefined ? undefined : pods.get(podUid);
  const candidates = podUid === undefined ? [...pods.values()] : own === undefined ? [] : [own];
  const found = candidates.flatMap((pod) => {
    const container = containerIn(pod, containerId);
    return container === undefined ? [] : [{ pod, container }];
  });
  if (found.length > 1) throw fault('ATT0109', { problem: 'it names two pods with the same container' });
  const [match] = found;
  if (match) return [...podValues(match.pod), ...(containers ? containerValues(match.container) : [])];
  return own !== undefined && !containers ? podValues(own) : undefined;
}
