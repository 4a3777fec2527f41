import { fault } from '../base/faults/fault.js';
import type { AttestedWorkload } from '../registration/attested-workload.js';
import type { Peer } from '../transport/peer.js';
import { type Service, type StreamHandler, service } from '../transport/service.js';
import { requireSecurityHeader } from './security-header.js';
import { type StateAnswer, streamStates } from './state-stream.js';
import type { WorkloadViews } from './view.js';
import { x509Bundles, x509Svids } from './x509-answers.js';

export interface WorkloadApiOptions {
  /** Who is calling, asked once a call. Throws a Fault to refuse it. */
  readonly attest: (peer: Peer) => Promise<AttestedWorkload>;
  readonly views: WorkloadViews;
}

/**
 * The SPIFFE Workload API (`SpiffeWorkloadAPI`), each caller its own identities: who it is the kernel says, and nothing in the
 * request. Every method wants the security header first, also those of a profile that is not served.
 */
export function workloadApi(options: WorkloadApiOptions): Service {
  return service('SpiffeWorkloadAPI', {
    FetchX509SVID: states(options, x509Svids),
    FetchX509Bundles: states(options, x509Bundles),
    FetchWITSVID: notIssued,
    FetchWITBundles: notIssued,
  });
}

function states({ attest, views }: WorkloadApiOptions, answer: StateAnswer): StreamHandler<unknown, never> {
  return {
    async stream({ metadata, peer, requests, signal, send }) {
      requireSecurityHeader(metadata);
      // Of the requests only that there is one counts: they have no fields.
      for await (const _ of requests) {
        return await streamStates({ workload: await attest(peer), views, answer, signal, send });
      }
    },
  };
}

const notIssued: StreamHandler<unknown, never> = {
  async stream({ metadata }) {
    requireSecurityHeader(metadata);
    throw fault('WLA0401', {});
  },
};
