import type { Json } from '../../../base/json.js';
import { listAt, textAt, textsAt } from '../../../base/json-path.js';
import type { Pod } from './kubelet.js';

/** `v1.ContainerStatus`. */
export type ContainerStatus = Json;

/** The container of a pod that has this ID, among its containers and its init containers. */
export function containerIn(pod: Pod, containerId: string): ContainerStatus | undefined {
  const statuses = [
    ...listAt(pod, 'status', 'containerStatuses'),
    ...listAt(pod, 'status', 'initContainerStatuses'),
  ];
  // `containerd://<id>`
  return statuses.find((status) => textAt(status, 'containerID').replace(/^[^:/]+:\/\//, '') === containerId);
}

/** The values of SPIRE's selectors for a pod. */
export function podValues(pod: Pod): string[] {
  const containers = listAt(pod, 'status', 'containerStatuses');
  const initContainers = listAt(pod, 'status', 'initContainerStatuses');
  return [
    ...value('sa', textAt(pod, 'spec', 'serviceAccountName')),
    ...value('ns', textAt(pod, 'metadata', 'namespace')),
    ...value('node-name', textAt(pod, 'spec', 'nodeName')),
    ...value('pod-uid', textAt(pod, 'metadata', 'uid')),
    ...value('pod-name', textAt(pod, 'metadata', 'name')),
    `pod-image-count:${containers.length}`,
    `pod-init-image-count:${initContainers.length}`,
    ...imagesOf(containers).map((image) => `pod-image:${image}`),
    ...imagesOf(initContainers).map((image) => `pod-init-image:${image}`),
    ...textsAt(pod, 'metadata', 'labels').map(([name, text]) => `pod-label:${name}:${text}`),
    ...listAt(pod, 'metadata', 'ownerReferences').flatMap(ownerValues),
  ];
}

/** The values of SPIRE's selectors for the container that the workload runs in. */
export function containerValues(status: ContainerStatus): string[] {
  return [
    ...value('container-name', textAt(status, 'name')),
    ...imagesOf([status]).map((image) => `container-image:${image}`),
  ];
}

function ownerValues(owner: Json): string[] {
  const kind = textAt(owner, 'kind');
  return [
    ...value(`pod-owner:${kind}`, textAt(owner, 'name')),
    ...value(`pod-owner-uid:${kind}`, textAt(owner, 'uid')),
  ];
}

/** Each image by the name that it was asked for by, and by its digest. */
function imagesOf(statuses: readonly ContainerStatus[]): string[] {
  const names = statuses.flatMap((status) => [textAt(status, 'image'), textAt(status, 'imageID')]);
  return [...new Set(names.filter((name) => name !== ''))];
}

function value(key: string, text: string): string[] {
  return text === '' ? [] : [`${key}:${text}`];
}
