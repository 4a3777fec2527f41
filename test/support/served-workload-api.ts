import { join } from 'node:path';
import { fault } from '../../src/base/faults/fault.js';
import type { AttestedWorkload } from '../../src/registration/attested-workload.js';
import type { Bundle } from '../../src/spiffe/bundle.js';
import type { X509Svid } from '../../src/spiffe/x509-svid.js';
import { serveUnix } from '../../src/transport/unix-server.js';
import type { JwtSvids } from '../../src/workload-api/jwt-answers.js';
import type { WorkloadIdentity, WorkloadView } from '../../src/workload-api/view.js';
import { workloadApi } from '../../src/workload-api/workload-api.js';
import { standingClock, workloadWith } from './agent.js';
import { type Ending, temporaryFolder } from './children.js';
import { workloadClient } from './workload-api.js';

export interface ServedOptions {
  readonly attest?: () => Promise<AttestedWorkload>;
  readonly token?: JwtSvids['token'];
  readonly clock?: { now(): number; uptime(): number };
}

/** The Workload API on a socket of its own, over a view that the test changes, and a client of it. */
export async function servedWorkloadApi(
  t: Ending,
  first: WorkloadView | 'unknown',
  options: ServedOptions = {},
) {
  const { clock = standingClock(), attest = async () => workloadWith('unix:uid:1000') } = options;
  const { token = async () => Promise.reject(fault('WLA0203', {})) } = options;
  const listeners = new Set<() => void>();
  let view = first;
  const views = {
    of: () => view,
    onChange(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const path = join(temporaryFolder(t), 'w.sock');
  const services = [workloadApi({ attest, views, jwtSvids: { token }, clock })];
  const server = await serveUnix({ path, mode: 0o600, services });
  t.after(() => server.close());
  return {
    path,
    client: workloadClient(t, path),
    /** How many streams are open. */
    watchers: () => listeners.size,
    show(next: WorkloadView | 'unknown') {
      view = next;
      for (const listener of [...listeners]) listener();
    },
  };
}

export function viewOf(
  bundle: Bundle,
  identities: readonly WorkloadIdentity[],
  ...federated: Bundle[]
): WorkloadView {
  return { identities, bundle, federated };
}

/** An entry's identity; the entry has the ID that its SPIFFE ID ends with. */
export function identityOf(svid: X509Svid, hint = '', isThere = true): WorkloadIdentity {
  const entryId = svid.id.split('/').at(-1) ?? '';
  return { entryId, id: svid.id, hint, svid: isThere ? svid : undefined };
}
