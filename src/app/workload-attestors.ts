import type { WorkloadAttestor } from '../attestation/workload/attestor.js';
import { dockerAttestor } from '../attestation/workload/docker/attestor.js';
import { k8sAttestor } from '../attestation/workload/k8s/attestor.js';
import type { Kubelet } from '../attestation/workload/k8s/kubelet.js';
import { systemdAttestor } from '../attestation/workload/systemd/attestor.js';
import { unixAttestor } from '../attestation/workload/unix/attestor.js';

/** How the workloads of the node are looked at: by each method that is here. */
export interface WorkloadAttestorSettings {
  /** Of executables above that many bytes there is no `unix:sha256`; default 512 MiB. */
  readonly unix?: { readonly maxHashedBytes?: number };
  readonly docker?: { readonly socket: string };
  readonly k8s?: { readonly kubelet: Kubelet; readonly containers: boolean };
  readonly systemd?: true;
}

export function workloadAttestors(settings: WorkloadAttestorSettings): WorkloadAttestor[] {
  const { unix, docker, k8s, systemd } = settings;
  return [
    ...(unix ? [unixAttestor(unix)] : []),
    ...(docker ? [dockerAttestor(docker)] : []),
    ...(k8s ? [k8sAttestor(k8s)] : []),
    ...(systemd ? [systemdAttestor()] : []),
  ];
}
