import { fault } from '../../../base/faults/fault.js';
import { shared } from '../../../base/share.js';
import type { Selector } from '../../../registration/entry.js';
import { nothingToSay, type WorkloadAttestor } from '../attestor.js';
import { containerOf, isIn } from '../container/container-of.js';
import { type Patience, untilKnown } from '../container/until-known.js';
import { type DockerContainer, inspectContainer } from './engine.js';

export interface DockerAttestorOptions {
  /** Of the Docker Engine. */
  socket: string;
  /** Where processes are looked at; another folder in tests. Default `/proc`. */
  proc?: string;
  /** A container runs a moment before the engine says so. */
  patience?: Patience;
}

/**
 * SPIRE's `docker` workload attestor, with its selectors: `docker:label:<name>:<value>`, `env:<NAME>=<value>`,
 * `image_id:<name>` and `image_config_digest:sha256:<hex>`.
 *
 * A process belongs to a container when its control group is the container's own: that of its first process, which the engine
 * names. SPIRE believes the ID in the name of a group, and whoever may make groups (systemd lets each user) may choose that
 * name. The digest is of the image that the container was made from, wherever the image's name points by now.
 * Throws ATT0106 to ATT0108 and TRN0401.
 */
export function dockerAttestor(options: DockerAttestorOptions): WorkloadAttestor {
  const { socket, proc = '/proc', patience = { attempts: 10, intervalMs: 200 } } = options;
  const inspect = shared((id: string) => inspectContainer(socket, id));
  return {
    type: 'docker',
    async attest(peer) {
      const place = containerOf(proc, peer.pid);
      const stillHold = () => isIn(place, proc, peer.pid);
      if (!place) return nothingToSay(stillHold);
      const container = await untilKnown(patience, peer.isAlive, () => inspect(place.containerId));
      if (!container) throw fault('ATT0107', { socket, problem: 'it knows no such running container' });
      if (!isIn(place, proc, container.pid)) throw fault('ATT0108', { pid: peer.pid });
      return { selectors: selectorsOf(container), stillHold };
    },
  };
}

function selectorsOf({ labels, environment, imageName, imageId }: DockerContainer): Selector[] {
  return [
    ...labels.map(([name, value]) => `label:${name}:${value}`),
    ...environment.map((variable) => `env:${variable}`),
    ...(imageName === '' ? [] : [`image_id:${imageName}`]),
    ...(imageId === '' ? [] : [`image_config_digest:${imageId}`]),
  ].map((value) => ({ type: 'docker', value }));
}
