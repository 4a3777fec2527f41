import { mostSimilar } from '../../base/diagnostics/similar.js';
import { fault } from '../../base/faults/fault.js';
import type { Entry, Selector } from '../../registration/entry.js';
import { type EntryAnswer, type NodeFacts, whyIdentity } from '../../registration/why-identity.js';
import { selectorsIn } from '../../server/api/messages.js';
import { readCertificate } from '../../spiffe/certificate.js';
import {
  parseSpiffeId,
  parseTrustDomain,
  pathOf,
  type SpiffeId,
  type TrustDomain,
  trustDomainOf,
  workloadId,
} from '../../spiffe/id.js';
import { type GrpcConnection, remoteStatus } from '../../transport/grpc-client.js';
import { serviceDefinition } from '../../wire/services.js';
import { idMessage, idText } from '../admin.js';
import { bundleApi } from '../bundle/message.js';
import { entryApi, entryFrom, listEntries } from '../entry/message.js';
import { type AgentMessage, agentApi, listAgents } from '../node/message.js';
import { everyPage } from '../pages.js';

/** What the server knows about the question. */
export interface IdentityFacts {
  readonly spiffeId: SpiffeId;
  /** The node that was asked about. */
  readonly nodeId: SpiffeId | undefined;
  readonly selectors: readonly Selector[] | undefined;
  readonly answers: readonly EntryAnswer[];
  /** Of the nodes that were looked at, what their agents say of themselves. */
  readonly agents: ReadonlyMap<string, AgentMessage>;
  /** Another identity that may have been meant, where no entry gives this one. */
  readonly similar: string | undefined;
  readonly server: ServerState;
}

export interface ServerState {
  readonly serving: boolean;
  /** Milliseconds since the Unix epoch: when the last of its X.509 authorities ends. */
  readonly authorityEnds: number;
}

/** What is asked. */
export type Question = Pick<IdentityFacts, 'spiffeId' | 'nodeId' | 'selectors'>;

/** Asks only for what the question is about. Throws CLI0701 for an identity of another trust domain. */
export async function askServer(
  server: GrpcConnection,
  { spiffeId, nodeId, selectors }: Question,
  tell: (howFar: string) => void,
): Promise<IdentityFacts> {
  const { trustDomain, state } = await serverState(server);
  if (trustDomainOf(spiffeId) !== trustDomain) throw fault('CLI0701', { id: spiffeId, trustDomain });
  const serverId = workloadId(trustDomain, '/spire/server');
  const tree = await entriesAbove(server, spiffeId);
  const all =
    nodeId === undefined
      ? await listAgents(server, {}, (count) => tell(`${count} nodes`))
      : await oneAgent(server, nodeId);
  const agents = new Map(all.map((agent) => [idText(agent.id), agent]));
  const answers = whyIdentity({
    spiffeId,
    serverId,
    tree: { entriesFor: (id) => tree.get(id) ?? [], childrenOf: () => [] },
    nodes: all.map(nodeFacts),
    ...(selectors && { selectors }),
    now: Date.now() / 1000,
  });
  const similar = answers.length > 0 ? undefined : await similarIdentity(server, spiffeId);
  return { spiffeId, nodeId, selectors, answers, agents, similar, server: state };
}

async function serverState(
  server: GrpcConnection,
): Promise<{ trustDomain: TrustDomain; state: ServerState }> {
  const { Check } = serviceDefinition('grpc.health.v1.Health');
  const { status } = await server.unary(Check, {});
  const { trust_domain = '', x509_authorities = [] } = await server.unary(bundleApi.GetBundle, {});
  const ends = x509_authorities
    .filter(({ tainted }) => !tainted)
    .map(({ asn1 }) => readCertificate(asn1 ?? new Uint8Array()).notAfter);
  return {
    trustDomain: parseTrustDomain(trust_domain),
    state: { serving: status === 'SERVING', authorityEnds: Math.max(0, ...ends) },
  };
}

/** By the identity that they give: the entries that give the one asked about, and everything above them. */
async function entriesAbove(server: GrpcConnection, spiffeId: SpiffeId): Promise<Map<SpiffeId, Entry[]>> {
  const tree = new Map<SpiffeId, Entry[]>();
  const open = [spiffeId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    // No entry gives the ID of a server or an agent.
    if (pathOf(id).startsWith('/spire/') || tree.has(id)) continue;
    const found = await listEntries(server, { by_spiffe_id: idMessage(id) });
    const entries = found.map((message) => entryFrom(message, trustDomainOf(spiffeId)));
    tree.set(id, entries);
    open.push(...entries.map(({ parentId }) => parentId));
  }
  return tree;
}

/** None when the server does not know it: that is an answer to the question, and no error. */
async function oneAgent(server: GrpcConnection, id: SpiffeId): Promise<AgentMessage[]> {
  try {
    return [await server.unary(agentApi.GetAgent, { id: idMessage(id) })];
  } catch (error) {
    if (remoteStatus(error) === 'NOT_FOUND') return [];
    throw error;
  }
}

async function similarIdentity(server: GrpcConnection, spiffeId: SpiffeId): Promise<string | undefined> {
  const ids = await everyPage(async (page) => {
    const output_mask = { spiffe_id: true };
    const { entries = [], next_page_token } = await server.unary(entryApi.ListEntries, {
      output_mask,
      ...page,
    });
    return { items: entries.map(({ spiffe_id }) => idText(spiffe_id)), next: next_page_token };
  });
  return mostSimilar(spiffeId, new Set(ids));
}

function nodeFacts(agent: AgentMessage): NodeFacts {
  return {
    id: parseSpiffeId(idText(agent.id)),
    selectors: selectorsIn(agent.selectors),
    banned: agent.banned ?? false,
    svidExpiresAt: Number(agent.x509svid_expires_at ?? 0),
  };
}
