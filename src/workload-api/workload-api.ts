import type { Clock } from '../base/clock.js';
import { fault } from '../base/faults/fault.js';
import type { AttestedWorkload } from '../registration/attested-workload.js';
import type { Peer } from '../transport/peer.js';
import {
  type Call,
  type Service,
  type StreamHandler,
  service,
  type UnaryHandler,
} from '../transport/service.js';
import { type Caller, fetchJwtSvids, type JwtSvids, jwtBundles, validateJwtSvid } from './jwt-answers.js';
import { requireSecurityHeader } from './security-header.js';
import { requireAlive, type StateAnswer, streamStates } from './state-stream.js';
import type { WorkloadViews } from './view.js';
import { x509Bundles, x509Svids } from './x509-answers.js';

export interface WorkloadApiOptions {
  /** Who is calling, asked once a call. Throws a Fault to refuse it. */
  readonly attest: (peer: Peer) => Promise<AttestedWorkload>;
  readonly views: WorkloadViews;
  readonly jwtSvids: JwtSvids;
  readonly clock: Clock;
}

/**
 * The SPIFFE Workload API (`SpiffeWorkloadAPI`), each caller its own identities: who it is the kernel says, and nothing in the
 * request. Every method wants the security header first, also those of a profile that is not served.
 */
export function workloadApi(options: WorkloadApiOptions): Service {
  const { jwtSvids, clock } = options;
  return service('SpiffeWorkloadAPI', {
    FetchX509SVID: states(options, x509Svids),
    FetchX509Bundles: states(options, x509Bundles),
    FetchJWTSVID: answered(options, (request, caller) => fetchJwtSvids(request, caller, jwtSvids)),
    FetchJWTBundles: states(options, jwtBundles),
    ValidateJWTSVID: answered(options, (request, caller) => validateJwtSvid(request, caller, clock.now)),
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

function answered<Request, Response>(
  options: WorkloadApiOptions,
  answer: (request: Request, caller: () => Promise<Caller>) => Promise<Response>,
): UnaryHandler<Request, Response> {
  return {
    async unary(request, call) {
      requireSecurityHeader(call.metadata);
      return answer(request, () => callerOf(options, call));
    },
  };
}

async function callerOf({ attest, views }: WorkloadApiOptions, { peer }: Call): Promise<Caller> {
  const workload = await attest(peer);
  return {
    workload,
    view() {
      requireAlive(workload);
      const view = views.of(workload);
      if (view === 'unknown') throw fault('WLA0203', {});
      return view;
    },
  };
}

const notIssued: StreamHandler<unknown, never> = {
  async stream({ metadata }) {
    requireSecurityHeader(metadata);
    throw fault('WLA0401', {});
  },
};
