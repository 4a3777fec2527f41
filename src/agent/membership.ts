import type { ServiceError } from '@grpc/grpc-js';
import type { NodeProver } from '../attestation/node/prover.js';
import type { Clock } from '../base/clock.js';
import { type Fault, fault, isFault } from '../base/faults/fault.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { SpiffeId, TrustDomain } from '../spiffe/id.js';
import type { SvidSource } from '../spiffe/source.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { Log } from '../telemetry/log.js';
import type { Addresses } from '../transport/failover.js';
import { remoteStatus } from '../transport/grpc-client.js';
import { type BootstrapTrust, bootstrapBundle } from './bootstrap-trust.js';
import { acceptSvid, newKeyRequest } from './issued-svid.js';
import { createOwnSvid, isAgentId, type OwnSvid } from './own-svid.js';
import type { ServerCalls } from './server-calls.js';
import { type AgentRefusal, agentRefusalOf } from './server-refusal.js';
import { createOwnBundle, serverVerifier, type VerifyServer } from './server-trust.js';
import type { StateStore } from './state.js';

/** Opens a connection to the server; without `svid` it presents no client certificate. */
export type ConnectToServer = (options: { svid?: SvidSource; verifyServer: VerifyServer }) => ServerCalls;

export interface MembershipOptions {
  trustDomain: TrustDomain;
  /** Where the servers of the trust domain answer; what `connect` opens goes to the current one. */
  addresses: Addresses;
  /** Used only while nothing is in `state`. */
  bootstrap: BootstrapTrust;
  connect: ConnectToServer;
  /** What this node can show to attest; asked anew for each attempt; `undefined` when it has nothing, throws when it is broken. */
  evidence: () => NodeProver | undefined;
  state: StateStore;
  clock: Clock;
  log: Log;
  random?: () => number;
}

/** The agent's place in its trust domain: its own SVID and the bundle, kept on disk across restarts. */
export interface Membership {
  readonly svid: OwnSvid;
  readonly verifyServer: VerifyServer;
  /**
   * Attests the node if the agent has no SVID, or none that the server takes. While the server refuses the SVID and there is
   * nothing better to show, the agent goes on asking with it; so does one that was banned and could attest again by itself.
   * Throws AGT0401 and AGT0405 when there is nothing to show at all, AGT0402 and AGT0404 when the server refused what was shown.
   */
  ensureAttested(): Promise<void>;
  /** Gives the bundle that is in force now; equal contents stay the same object. */
  takeBundle(bundle: Bundle): Promise<Bundle>;
  /** At half of the SVID's life: renews it, or attests the node again where the server wants that. Throws as `ensureAttested`. */
  renewIfDue(server: ServerCalls): Promise<void>;
  /** The server does not take our SVID any more; gives the error that says so. */
  refused(refusal: AgentRefusal): Fault;
  /** The server takes our SVID. */
  accepted(): void;
}

export function createMembership(options: MembershipOptions): Membership {
  const {
    trustDomain,
    addresses,
    bootstrap,
    connect,
    evidence,
    state,
    clock,
    log,
    random = Math.random,
  } = options;
  const svid = createOwnSvid({ clock, random });
  const bundle = createOwnBundle(trustDomain);
  const verifyServer = serverVerifier({
    address: addresses.current,
    trustDomain,
    bundle: bundle.current,
    clock,
  });
  const kept = state.load();
  if (kept) {
    bundle.replace(kept.bundle);
    svid.replace(kept.svid, kept.svid.notBefore);
  }
  let reattestable = kept?.reattestable ?? false;
  let savedBundle = bundle.current();
  let refusal: AgentRefusal | undefined;

  /** On disk first: the server forgets the old SVID once the new one was used, so a new one must not get lost. */
  const become = async (next: X509Svid, trusted: Bundle, canReattest = reattestable) => {
    await state.save({ svid: next, bundle: trusted, reattestable: canReattest });
    savedBundle = bundle.replace(trusted);
    svid.replace(next, clock.now());
    reattestable = canReattest;
    refusal = undefined;
  };

  const firstBundle = async () => {
    const address = addresses.current();
    const fetchBundle = (verify: VerifyServer) =>
      withServer(connect({ verifyServer: verify }), (server) => server.getBundle());
    try {
      return await bootstrapBundle(bootstrap, { address, trustDomain, fetchBundle, clock, log });
    } catch (error) {
      // It answered, but it is not the server; another address may be.
      addresses.failed(address, error);
      throw error;
    }
  };

  const attest = async (prover: NodeProver) => {
    if (!bundle.current()) bundle.replace(await firstBundle());
    await withServer(connect({ verifyServer }), async (server) => {
      const trusted = await server.getBundle();
      const { privateKey, csr } = newKeyRequest();
      const isAgent = (id: SpiffeId) => isAgentId(id, trustDomain);
      const keep = (chain: readonly Uint8Array[], canReattest: boolean) =>
        become(acceptSvid(chain, privateKey, trusted, isAgent, clock.now()), trusted, canReattest);
      await server.attestAgent(prover, csr, keep).catch((error: unknown) => {
        throw attestationFault(error);
      });
    });
    log.info({ id: svid.current()?.id, notAfter: svid.current()?.notAfter }, 'the node is attested');
  };

  return {
    svid,
    verifyServer,
    async ensureAttested() {
      const current = svid.current();
      const isAlive = current !== undefined && current.notAfter > clock.now();
      if (isAlive && (!refusal || (refusal === 'AGENT_BANNED' && reattestable))) return;
      const prover = evidence();
      if (!prover && !isAlive) throw nothingToShow(current);
      try {
        if (prover) await attest(prover);
      } catch (error) {
        // A token that is used up must not hide why the server refuses the agent that it once let in.
        if (!isAlive || !isFault(error, 'AGT0402')) throw error;
      }
    },
    async takeBundle(next) {
      const held = bundle.replace(next);
      const own = svid.current();
      if (own && held !== savedBundle) await state.save({ svid: own, bundle: held, reattestable });
      savedBundle = held;
      return held;
    },
    async renewIfDue(server) {
      const [own, trusted] = [svid.current(), bundle.current()];
      if (!own || !trusted || !svid.isDue(trusted)) return;
      if (reattestable) {
        const prover = evidence();
        if (!prover) throw nothingToShow(own);
        return await attest(prover);
      }
      const { privateKey, csr } = newKeyRequest();
      const chain = await server.renewAgent(csr);
      await become(
        acceptSvid(chain, privateKey, trusted, (id) => id === own.id, clock.now()),
        trusted,
      );
      log.info({ id: own.id, notAfter: svid.current()?.notAfter }, 'the agent renewed its SVID');
    },
    refused(reason) {
      refusal = reason;
      if (reason === 'AGENT_BANNED') return fault('AGT0404', {});
      return fault('AGT0403', { id: svid.current()?.id ?? '', reason });
    },
    accepted() {
      refusal = undefined;
    },
  };
}

async function withServer<T>(server: ServerCalls, use: (server: ServerCalls) => Promise<T>): Promise<T> {
  try {
    return await use(server);
  } finally {
    server.close();
  }
}

const finalStatuses = [
  'PERMISSION_DENIED',
  'INVALID_ARGUMENT',
  'UNAUTHENTICATED',
  'FAILED_PRECONDITION',
  'NOT_FOUND',
];

/** What the server says no to will not become right by trying again; everything else (it is away, it is busy) may. */
function attestationFault(error: unknown): unknown {
  if (agentRefusalOf(error) === 'AGENT_BANNED') return fault('AGT0404', {}, { cause: error });
  const status = remoteStatus(error);
  if (status === undefined || !finalStatuses.includes(status)) return error;
  const { details: reason } = (error as Fault).cause as ServiceError;
  return fault('AGT0402', { reason }, { cause: error });
}

function nothingToShow(last: X509Svid | undefined): Fault {
  if (!last) return fault('AGT0401', {});
  return fault('AGT0405', { id: last.id, at: new Date(last.notAfter).toISOString() });
}
