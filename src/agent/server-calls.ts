import { Metadata } from '@grpc/grpc-js';
import { acknowledgesHeader } from '../attestation/node/acknowledgement.js';
import type { NodeProver } from '../attestation/node/prover.js';
import { fault } from '../base/faults/fault.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { Log } from '../telemetry/log.js';
import { type ClientStream, type GrpcConnection, remoteStatus } from '../transport/grpc-client.js';
import { serviceDefinition } from '../wire/services.js';
import { type ReceivedResource, type ResourceFeed, wildcardFeed } from '../xds/client.js';
import type { JwtRequest } from './jwt-svids.js';
import { bundleFromMessage } from './server-messages.js';
import type { AgentEntry } from './snapshot.js';
import type { SignAnswer, SignRequest } from './svid-cache.js';
import { syncEntries } from './sync-entries.js';

/** What an agent calls of SPIRE's server API. Certificate chains are DER, the leaf first. */
export interface ServerCalls {
  getBundle(): Promise<Bundle>;
  /** `undefined` when the server has no bundle of that trust domain (yet). */
  getFederatedBundle(trustDomain: TrustDomain): Promise<Bundle | undefined>;
  /**
   * Over a connection without client certificate. The server uses the evidence up only when `keep` has returned, so an agent
   * that is killed before that can attest again. `reattestable`: whether the server wants this node to attest again instead of
   * renewing.
   */
  attestAgent(
    prover: NodeProver,
    csr: Uint8Array,
    keep: (chain: readonly Uint8Array[], reattestable: boolean) => Promise<void>,
  ): Promise<void>;
  renewAgent(csr: Uint8Array): Promise<readonly Uint8Array[]>;
  /** In their order of precedence; entries that are as in `known` are the same objects. */
  syncEntries(known: readonly AgentEntry[]): Promise<AgentEntry[]>;
  signSvids(requests: readonly SignRequest[]): Promise<readonly SignAnswer[]>;
  /** A JWT-SVID in compact form, as the server gave it. */
  newJwtSvid(request: JwtRequest): Promise<string>;
  /** What the server pushes of a type, over the same connection. `onEnd` hears why a stream ended. */
  follow<Value>(
    typeUrl: string,
    read: (resource: ReceivedResource) => Value,
    onEnd: (error: unknown) => void,
  ): ResourceFeed<Value>;
  close(): void;
}

/** No conversation with the server may take longer: a stream that hangs would hold up every sync after it. */
const deadlineMs = 30_000;

export function serverCalls(connection: GrpcConnection, log: Log): ServerCalls {
  const agent = serviceDefinition('spire.api.server.agent.v1.Agent');
  const bundle = serviceDefinition('spire.api.server.bundle.v1.Bundle');
  const entry = serviceDefinition('spire.api.server.entry.v1.Entry');
  const svid = serviceDefinition('spire.api.server.svid.v1.SVID');
  return {
    getBundle: async () => bundleFromMessage(await connection.unary(bundle.GetBundle, {})),
    async getFederatedBundle(trustDomain) {
      try {
        const request = { trust_domain: trustDomain };
        return bundleFromMessage(await connection.unary(bundle.GetFederatedBundle, request));
      } catch (error) {
        if (remoteStatus(error) === 'NOT_FOUND') return undefined;
        throw error;
      }
    },
    attestAgent: (prover, csr, keep) =>
      conversation(
        connection.stream(agent.AttestAgent, { deadlineMs, metadata: acknowledging() }),
        async ({ send, receive, end }) => {
          const { type, payload } = prover;
          send({
            params: { data: { type, payload: Buffer.from(payload) }, params: { csr: Buffer.from(csr) } },
          });
          for (;;) {
            const { challenge, result } = await receive();
            if (result) {
              await keep(result.svid?.cert_chain ?? [], result.reattestable ?? false);
              return end();
            }
            const answer = await prover.answer(challenge ?? new Uint8Array());
            send({ challenge_response: Buffer.from(answer) });
          }
        },
      ),
    async renewAgent(csr) {
      const renewed = await connection.unary(agent.RenewAgent, { params: { csr: Buffer.from(csr) } });
      return renewed.svid?.cert_chain ?? [];
    },
    syncEntries: (known) =>
      conversation(connection.stream(entry.SyncAuthorizedEntries, { deadlineMs }), (exchange) =>
        syncEntries(exchange, known, log),
      ),
    async signSvids(requests) {
      const params = requests.map(({ entryId, csr }) => ({ entry_id: entryId, csr: Buffer.from(csr) }));
      const { results = [] } = await connection.unary(svid.BatchNewX509SVID, { params });
      return results.map((result): SignAnswer => {
        const chain = result.svid?.cert_chain;
        if (chain && (result.status?.code ?? 0) === 0) return { chain };
        return { refusal: result.status?.message ?? 'no reason given' };
      });
    },
    async newJwtSvid({ entryId, audience, deadlineMs }) {
      const request = { entry_id: entryId, audience: [...audience] };
      const answer = await connection.unary(svid.NewJWTSVID, request, { deadlineMs });
      return answer.svid?.token ?? '';
    },
    follow: (typeUrl, read, onEnd) => wildcardFeed({ connection, typeUrl, read, onEnd, log }),
    close: () => connection.close(),
  };
}

function acknowledging(): Metadata {
  const metadata = new Metadata();
  metadata.set(acknowledgesHeader, '1');
  return metadata;
}

interface Exchange<Request, Response> {
  send(request: Request): void;
  /** Rejects when the stream ends instead. */
  receive(): Promise<Response>;
  /** Says that this side is done, and waits until the other is; that it broke off instead is no matter any more. */
  end(): Promise<void>;
}

/** Talks over one stream to its end, and never leaves it open behind. */
async function conversation<Request, Response, Result>(
  stream: ClientStream<Request, Response>,
  talk: (exchange: Exchange<Request, Response>) => Promise<Result>,
): Promise<Result> {
  const responses = stream.responses[Symbol.asyncIterator]();
  const receive = async () => {
    const next = await responses.next();
    if (next.done) throw fault('AGT0501', { problem: 'it ended the stream too early' });
    return next.value;
  };
  const end = async () => {
    stream.end();
    await responses.next().catch(() => undefined);
  };
  try {
    return await talk({ send: (request) => stream.send(request), receive, end });
  } finally {
    stream.cancel();
  }
}
