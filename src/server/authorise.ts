import type { Clock } from '../base/clock.js';
import { Fault, fault, isFault } from '../base/faults/fault.js';
import { readCertificate } from '../spiffe/certificate.js';
import { pathOf, type SpiffeId, trustDomainOf } from '../spiffe/id.js';
import type { BundleSource } from '../spiffe/source.js';
import type { Peer } from '../transport/peer.js';
import type { VerifiedPeer } from '../transport/verified-peer.js';
import { verifyPeer, verifyPeerIfPresented } from '../transport/verify-peer.js';
import type { Role } from './access.js';
import { agentDenied } from './agent-denied.js';
import { type AgentWatch, watchAgents } from './agent-watch.js';
import type { AgentRecord } from './ports.js';
import type { Registry } from './registry.js';

/** Who makes a call, established for this very call. */
export type Caller =
  | { readonly kind: 'anonymous'; readonly address: string }
  /** On the admin socket, which its file mode keeps for the server's own user. */
  | { readonly kind: 'local'; readonly uid: number; readonly pid: number }
  /** Attested, not banned, and with its current SVID. */
  | { readonly kind: 'agent'; readonly agent: AgentRecord; readonly peer: VerifiedPeer }
  | { readonly kind: 'workload'; readonly peer: VerifiedPeer };

export interface Authoriser extends AgentWatch {
  /**
   * Finds out who calls and whether they have one of `roles`. Throws SRV0101 when not, SRV0102 to SRV0105 for an agent that
   * is expired, unknown, outdated or banned, SRV0108 for others of another trust domain than listed administrators, and
   * TRN02xx for a certificate that does not verify.
   */
  authorise(peer: Peer, method: string, roles: readonly Role[]): Promise<Caller>;
  /** The same for a peer that must be an agent. */
  activeAgent(peer: Peer): Promise<{ agent: AgentRecord; peer: VerifiedPeer }>;
  /** Whether a peer is an agent or an operator as things stand; it says nothing about any call. */
  isKnown(peer: Peer): boolean;
  /** Whether an agent that was let in before would be let in now: for streams, before every answer. */
  isStillActive(peer: VerifiedPeer): boolean;
}

export interface AuthoriserOptions {
  readonly registry: Registry;
  /** Of our own trust domain and of others. */
  readonly bundles: BundleSource;
  /** Who is an administrator without an entry that says so; of other trust domains nobody else may call. */
  readonly adminIds: ReadonlySet<SpiffeId>;
  readonly clock: Clock;
}

export function createAuthoriser(options: AuthoriserOptions): Authoriser {
  const { registry, bundles, adminIds, clock } = options;
  const isOwn = (id: SpiffeId) => trustDomainOf(id) === trustDomainOf(registry.serverId);
  const verified = (peer: Peer): VerifiedPeer | undefined => {
    try {
      const verifiedPeer = verifyPeerIfPresented(peer, bundles, clock);
      if (verifiedPeer && !isOwn(verifiedPeer.id) && !adminIds.has(verifiedPeer.id)) {
        throw fault('SRV0108', { id: verifiedPeer.id });
      }
      return verifiedPeer;
    } catch (error) {
      throw isExpiredAgent(error, peer, clock.now()) ? agentDenied('SRV0102', 'AGENT_EXPIRED') : error;
    }
  };
  const activeAgent = async (peer: Peer) => {
    const verifiedPeer = verified(peer) ?? verifyPeer(peer, bundles, clock);
    return { agent: await currentAgent(registry, verifiedPeer), peer: verifiedPeer };
  };
  const identify = async (peer: Peer): Promise<Caller> => {
    if (peer.kind === 'unix') return { kind: 'local', uid: peer.uid, pid: peer.pid };
    const verifiedPeer = verified(peer);
    if (!verifiedPeer) return { kind: 'anonymous', address: peer.address };
    if (!isOwn(verifiedPeer.id) || !isAgentId(verifiedPeer.id)) {
      return { kind: 'workload', peer: verifiedPeer };
    }
    return { kind: 'agent', agent: await currentAgent(registry, verifiedPeer), peer: verifiedPeer };
  };
  const isStillActive = ({ id, serial, notAfter }: VerifiedPeer) => {
    const agent = registry.agent(id);
    return agent !== undefined && !agent.banned && serial === agent.serial && clock.now() <= notAfter;
  };
  return {
    ...watchAgents(registry, isStillActive, clock),
    activeAgent,
    isStillActive,
    isKnown: (peer) => {
      const verifiedPeer = nobodyIfRefused(() => verified(peer));
      if (!verifiedPeer) return false;
      const { id, serial } = verifiedPeer;
      if (!isOwn(id) || !isAgentId(id)) {
        return rolesOf({ kind: 'workload', peer: verifiedPeer }, options).length > 0;
      }
      const agent = registry.agent(id);
      if (!agent || agent.banned) return false;
      return (
        [agent.serial, agent.nextSerial].includes(serial) || isOfLostServer(verifiedPeer, agent, registry)
      );
    },
    authorise: async (peer, method, roles) => {
      if (roles.includes('anyone')) return openCaller(peer, verified(peer));
      const caller = await identify(peer);
      const has = rolesOf(caller, options);
      if (!roles.some((role) => has.includes(role)))
        throw fault('SRV0101', { method, caller: nameOf(caller) });
      return caller;
    },
  };
}

function nobodyIfRefused(verified: () => VerifiedPeer | undefined): VerifiedPeer | undefined {
  try {
    return verified();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** For methods that are open to everybody: a certificate need not be shown, but one that is shown must be good (S15). */
function openCaller(peer: Peer, verifiedPeer: VerifiedPeer | undefined): Caller {
  if (peer.kind === 'unix') return { kind: 'local', uid: peer.uid, pid: peer.pid };
  return verifiedPeer
    ? { kind: 'workload', peer: verifiedPeer }
    : { kind: 'anonymous', address: peer.address };
}

function rolesOf(caller: Caller, { registry, adminIds }: AuthoriserOptions): Role[] {
  if (caller.kind === 'local') return ['local'];
  if (caller.kind === 'agent') return ['agent'];
  if (caller.kind === 'anonymous') return [];
  const entries = [...registry.entriesFor(caller.peer.id)];
  return [
    ...(adminIds.has(caller.peer.id) || entries.some(({ admin }) => admin) ? (['admin'] as const) : []),
    ...(entries.some(({ downstream }) => downstream) ? (['downstream'] as const) : []),
  ];
}

/** Asked for every call, so a ban or a renewal counts on connections that are open already (S12). */
async function currentAgent(registry: Registry, peer: VerifiedPeer): Promise<AgentRecord> {
  const { id, serial } = peer;
  const agent = admittedAgent(registry, id);
  if (serial === agent.serial) {
    await registry.settleJoinToken(serial);
    return agent;
  }
  if (serial === agent.nextSerial) await registry.activateAgent(id, serial);
  else if (isOfLostServer(peer, agent, registry)) {
    await registry.catchUpAgent(id, { serial, expiresAt: peer.notAfter });
  }
  // By now it may have been another call with the new SVID that activated it.
  const activated = registry.agent(id);
  if (activated?.serial !== serial || activated.banned) throw agentDenied('SRV0104', 'AGENT_NOT_ACTIVE');
  return activated;
}

/** The agent, which is not shut out as things stand. Throws SRV0103, SRV0105. */
export function admittedAgent(registry: Registry, id: SpiffeId): AgentRecord {
  const agent = registry.agent(id);
  if (!agent) throw agentDenied('SRV0103', 'AGENT_NOT_ATTESTED');
  if (agent.banned) throw agentDenied('SRV0105', 'AGENT_BANNED');
  return agent;
}

/**
 * Whether an agent shows an SVID that it can only have from a server that was lost, and restored from a backup that does not
 * know of it. It counts, for else every agent that cannot attest again would be locked out; never an older one than the newest
 * that was shown, and not for longer than SVIDs from before the restore last.
 */
function isOfLostServer(
  { notBefore, notAfter }: VerifiedPeer,
  agent: AgentRecord,
  { restoredAt }: Registry,
): boolean {
  return restoredAt !== undefined && notBefore < restoredAt && notAfter > agent.expiresAt;
}

export function isAgentId(id: SpiffeId): boolean {
  return pathOf(id).startsWith('/spire/agent/');
}

/** Says no more than what the certificate itself does, so it need not be verified for that. */
function isExpiredAgent(error: unknown, peer: Peer, now: number): boolean {
  const tooOld = error instanceof Fault && error.code === 'TRN0203' && isFault(error.cause, 'IDN0209');
  if (!tooOld || peer.kind !== 'tls') return false;
  const [leaf] = peer.presented.map(readCertificate);
  return (
    leaf !== undefined && leaf.notAfter < now && /^spiffe:\/\/[^/]+\/spire\/agent\//.test(leaf.uris[0] ?? '')
  );
}

function nameOf(caller: Caller): string {
  switch (caller.kind) {
    case 'anonymous':
      return 'a caller without an SVID';
    case 'local':
      return `uid ${caller.uid} on the admin socket`;
    case 'agent':
      return caller.agent.id;
    case 'workload':
      return caller.peer.id;
  }
}
