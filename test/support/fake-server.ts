import { Metadata, status } from '@grpc/grpc-js';
import type { ConnectToServer } from '../../src/agent/membership.js';
import type { ServerCalls } from '../../src/agent/server-calls.js';
import type { AgentEntry } from '../../src/agent/snapshot.js';
import type { Clock } from '../../src/base/clock.js';
import { fault } from '../../src/base/faults/fault.js';
import { createAuthority, type SigningAuthority } from '../../src/ca/authority.js';
import { readCsr } from '../../src/ca/csr.js';
import { issueX509Svid } from '../../src/ca/issue-x509-svid.js';
import { newLocalKey } from '../../src/ca/signing-key.js';
import type { Bundle } from '../../src/spiffe/bundle.js';
import { type SpiffeId, type TrustDomain, workloadId } from '../../src/spiffe/id.js';
import { encode, typeUrlOf } from '../../src/wire/messages.js';
import { shop } from './agent.js';

/**
 * A server of the trust domain `shop.example` as the agent calls it, without network: it signs with a real authority and
 * does what its fields say. For what needs scripting (bans, taints, outages); everything else is tested on the real server.
 */
export interface FakeServer {
  connect: ConnectToServer;
  authority: SigningAuthority;
  /** Authorities besides that one, in the bundle that it sends. */
  others: { authority: SigningAuthority; tainted: boolean }[];
  entries: AgentEntry[];
  federated: Map<TrustDomain, Bundle>;
  tokens: Set<string>;
  agentTtl: number;
  /** Whether it wants its agents to attest again instead of renewing. Tokens are good any number of times then. */
  reattestable: boolean;
  /** Thrown by every call that needs a client certificate. */
  refuses: Error | undefined;
  /** Thrown by BatchNewX509SVID. */
  signingFails: Error | undefined;
  /** Thrown by every call. */
  away: Error | undefined;
  /** Names of the calls, in order. */
  calls: string[];
}

export const newAuthority = (clock: Clock): Promise<SigningAuthority> =>
  createAuthority({ trustDomain: shop, ttlSeconds: 10 * 24 * 3600, now: clock.now() }, newLocalKey());

export async function fakeServer(clock: Clock): Promise<FakeServer> {
  const server: FakeServer = {
    authority: await newAuthority(clock),
    others: [],
    entries: [],
    federated: new Map(),
    tokens: new Set(['token']),
    agentTtl: 3600,
    reattestable: false,
    refuses: undefined,
    signingFails: undefined,
    away: undefined,
    calls: [],
    connect: ({ svid, verifyServer }) => {
      const issue = async (id: SpiffeId, csr: Uint8Array, ttlSeconds: number) => {
        const { publicKey } = await readCsr(csr);
        const request = { id, publicKey, dnsNames: [], ttlSeconds, now: clock.now() };
        return (await issueX509Svid(server.authority, request)).chain;
      };
      const called = async (name: string, needsSvid = true) => {
        server.calls.push(name);
        if (server.away) throw server.away;
        verifyServer(await serverChain(server, clock));
        if (needsSvid && server.refuses) throw server.refuses;
        if (needsSvid && !svid?.current()) throw new Error('no client certificate');
      };
      const calls: ServerCalls = {
        async getBundle() {
          await called('GetBundle', false);
          return bundleOf(server);
        },
        async getFederatedBundle(trustDomain) {
          await called('GetFederatedBundle');
          return server.federated.get(trustDomain);
        },
        async attestAgent({ payload }, csr, keep) {
          await called('AttestAgent', false);
          const token = Buffer.from(payload).toString();
          if (!server.tokens.has(token)) throw grpcError('PERMISSION_DENIED', 'no such token');
          if (!server.reattestable) server.tokens.delete(token);
          const chain = await issue(
            workloadId(shop, `/spire/agent/join_token/${token}`),
            csr,
            server.agentTtl,
          );
          await keep(chain, server.reattestable);
        },
        async renewAgent(csr) {
          await called('RenewAgent');
          return issue(svid?.current()?.id ?? workloadId(shop, '/none'), csr, server.agentTtl);
        },
        async syncEntries(known) {
          await called('SyncAuthorizedEntries');
          return server.entries.map((entry) => known.find((one) => one === entry) ?? entry);
        },
        async signSvids(requests) {
          await called('BatchNewX509SVID');
          if (server.signingFails) throw server.signingFails;
          const answers = requests.map(async ({ entryId, csr }) => {
            const entry = server.entries.find(({ id }) => id === entryId);
            return entry ? { chain: await issue(entry.spiffeId, csr, 3600) } : { refusal: 'not found' };
          });
          return Promise.all(answers);
        },
        async newJwtSvid() {
          throw new Error('no test asks for it');
        },
        // It is asked for everything, as SPIRE's server.
        follow: () => ({
          current: () => 'unknown',
          isLive: () => false,
          onChange: () => () => {},
          reopen: () => {},
          close: () => {},
        }),
        close: () => undefined,
      };
      return calls;
    },
  };
  return server;
}

async function serverChain({ authority }: FakeServer, clock: Clock): Promise<readonly Uint8Array[]> {
  const id = workloadId(shop, '/spire/server');
  // Any key will do: there is no handshake.
  const { publicKey } = newLocalKey();
  const request = { id, publicKey, dnsNames: [], ttlSeconds: 600, now: clock.now() };
  return (await issueX509Svid(authority, request)).chain;
}

export function bundleOf({ authority, others }: FakeServer): Bundle {
  const all = [{ authority, tainted: false }, ...others];
  return {
    trustDomain: shop,
    x509Authorities: all.map(({ authority: { certificate: der }, tainted }) => ({ der, tainted })),
    jwtAuthorities: [],
    sequence: 1n,
    refreshHint: 0,
  };
}

/** As a call over a connection fails with it; with the reason in its details, as SPIRE's server says it. */
export function grpcError(code: keyof typeof status, details: string, reason?: string): Error {
  const metadata = new Metadata();
  if (reason !== undefined) {
    const name = 'spire.api.types.PermissionDeniedDetails';
    const value = encode(name, { reason: reason as 'AGENT_BANNED' });
    const rich = { code: status[code], message: details, details: [{ type_url: typeUrlOf(name), value }] };
    metadata.set('grpc-status-details-bin', encode('google.rpc.Status', rich));
  }
  const cause = Object.assign(new Error(details), { code: status[code], details, metadata });
  return fault('TRN0301', { method: 'M', address: 'a', status: code, text: details }, { cause });
}
