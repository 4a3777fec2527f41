import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ServiceError } from '@grpc/grpc-js';
import { bundleFromMessage } from '../../src/agent/server-messages.js';
import { type ServerSettings, startServer } from '../../src/app/server.js';
import { Fault } from '../../src/base/faults/fault.js';
import { makeCsr } from '../../src/ca/csr.js';
import { diskKeys } from '../../src/ca/key-manager.js';
import type { Bundle } from '../../src/spiffe/bundle.js';
import { readCertificate } from '../../src/spiffe/certificate.js';
import { parseSpiffeId, parseTrustDomain } from '../../src/spiffe/id.js';
import type { X509Svid } from '../../src/spiffe/x509-svid.js';
import { silentLog } from '../../src/telemetry/log.js';
import { dialTls } from '../../src/transport/dial-tls.js';
import { dialUnix } from '../../src/transport/dial-unix.js';
import { type GrpcConnection, remoteStatus } from '../../src/transport/grpc-client.js';
import { decode } from '../../src/wire/messages.js';
import type { MessageIn, MessageOut } from '../../src/wire/names.js';
import { serviceDefinition } from '../../src/wire/services.js';
import { type Ending, temporaryFolder } from './children.js';

export const agentApi = serviceDefinition('spire.api.server.agent.v1.Agent');
export const entryApi = serviceDefinition('spire.api.server.entry.v1.Entry');
export const svidApi = serviceDefinition('spire.api.server.svid.v1.SVID');
export const bundleApi = serviceDefinition('spire.api.server.bundle.v1.Bundle');

/** A server of `shop.example` in a fresh data directory, or in `dataDir`, and its admin socket. */
export async function runningServer(t: TestContext, settings: Partial<ServerSettings> = {}) {
  const folder = temporaryFolder(t);
  const dataDir = settings.dataDir ?? join(folder, 'data');
  const adminSocket = join(folder, 'admin.sock');
  const server = await startServer({
    keys: diskKeys,
    trustDomain: parseTrustDomain('shop.example'),
    host: '127.0.0.1',
    port: 0,
    x509SvidTtl: 3600,
    jwtSvidTtl: 300,
    caTtl: 86_400,
    // Tests try what fails more often than that.
    attestationsPerSecond: 0,
    log: silentLog,
    ...settings,
    dataDir,
    adminSocket,
  });
  const admin = dialUnix(adminSocket);
  const close = async () => {
    admin.close();
    await server.close();
  };
  /** What must end before the server, when the test is over: it gives running calls a second. */
  const clients: (() => Promise<void>)[] = [];
  t.after(async () => {
    await Promise.all(clients.map((end) => end()));
    await close();
  });
  return { ...server, close, clients, dataDir, adminSocket, admin, address: `127.0.0.1:${server.port}` };
}

export type RunningTestServer = Awaited<ReturnType<typeof runningServer>>;

/** A connection to the server's TLS port, with `svid` if there is one. The server is not verified: that is for the agent's tests. */
export function dial(t: Ending, server: { address: string }, svid?: X509Svid): GrpcConnection {
  const source = svid && { current: () => svid, onChange: () => () => {} };
  const connection = dialTls({
    address: server.address,
    ...(source && { svid: source }),
    verifyServer: () => {},
  });
  t.after(() => connection.close());
  return connection;
}

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export async function joinToken(
  server: { admin: GrpcConnection },
  request: MessageIn<'spire.api.server.agent.v1.CreateJoinTokenRequest'> = { ttl: 60 },
): Promise<string> {
  const { value = '' } = await server.admin.unary(agentApi.CreateJoinToken, request);
  return value;
}

/** For `joinToken`: the agent that attests with it is also known as `/node/demo`. */
export const demoNode = { ttl: 60, agent_id: { trust_domain: 'shop.example', path: '/node/demo' } };

/** The trust bundle as the server shows it. */
export async function bundleOf(server: { admin: GrpcConnection }): Promise<Bundle> {
  return bundleFromMessage(await server.admin.unary(bundleApi.GetBundle, {}));
}

/** Attests with a join token over a connection without certificate, as an agent does. */
export async function attest(connection: GrpcConnection, token: string, key = newKey()): Promise<X509Svid> {
  const stream = connection.stream(agentApi.AttestAgent);
  stream.send({
    params: { data: { type: 'join_token', payload: Buffer.from(token) }, params: { csr: makeCsr(key) } },
  });
  let svid: X509Svid | undefined;
  for await (const { result } of stream.responses) {
    svid = svidOf(result?.svid, key);
    stream.end();
  }
  if (!svid) throw new Error('the server did not answer');
  return svid;
}

/** An agent of its own, attested; `connection` carries its SVID. */
export async function attestedAgent(
  t: TestContext,
  server: RunningTestServer,
  request?: MessageIn<'spire.api.server.agent.v1.CreateJoinTokenRequest'>,
) {
  const svid = await attest(dial(t, server), await joinToken(server, request));
  return { svid, connection: dial(t, server, svid) };
}

export function svidOf(
  message: MessageOut<'spire.api.types.X509SVID'> | undefined | null,
  key: KeyObject,
): X509Svid {
  const chain = message?.cert_chain ?? [];
  const leaf = readCertificate(chain[0] ?? new Uint8Array());
  const id = parseSpiffeId(`spiffe://${message?.id?.trust_domain}${message?.id?.path}`);
  const privateKey = key.export({ format: 'der', type: 'pkcs8' });
  return { id, chain, privateKey, notBefore: leaf.notBefore, notAfter: leaf.notAfter };
}

/** An entry of the trust domain as a message; `parent` is a path. */
export function entryMessage(
  path: string,
  parent: string,
  selectors: readonly string[],
  more: MessageIn<'spire.api.types.Entry'> = {},
): MessageIn<'spire.api.types.Entry'> {
  const id = (of: string) => ({ trust_domain: 'shop.example', path: of });
  return {
    spiffe_id: id(path),
    parent_id: id(parent),
    selectors: selectors.map((text) => {
      const [type = '', ...value] = text.split(':');
      return { type, value: value.join(':') };
    }),
    ...more,
  };
}

/** Creates entries on the admin socket and gives their IDs. Fails when one is refused. */
export async function createEntries(
  server: { admin: GrpcConnection },
  ...entries: MessageIn<'spire.api.types.Entry'>[]
): Promise<string[]> {
  const { results = [] } = await server.admin.unary(entryApi.BatchCreateEntry, { entries });
  return results.map(({ status, entry }) => {
    if (status?.code) throw new Error(status.message);
    return entry?.id ?? '';
  });
}

/** One exchange of SyncAuthorizedEntries: sends the first message and gives the first answer. */
export async function syncOnce(
  connection: GrpcConnection,
): Promise<MessageOut<'spire.api.server.entry.v1.SyncAuthorizedEntriesResponse'>> {
  const stream = connection.stream(entryApi.SyncAuthorizedEntries);
  stream.send({ output_mask: { spiffe_id: true, selectors: true, revision_number: true } });
  stream.end();
  for await (const response of stream.responses) return response;
  throw new Error('the server did not answer');
}

/** How a call ended: its gRPC status, its text, and the reason among its details if it was a refused agent. */
export async function endOf(
  call: Promise<unknown>,
): Promise<{ status: string; text: string; reason?: string }> {
  try {
    await call;
    return { status: 'OK', text: '' };
  } catch (error) {
    const remote = remoteStatus(error);
    if (!(error instanceof Fault) || remote === undefined) throw error;
    const { details, metadata } = error.cause as ServiceError;
    const [rich] = metadata.get('grpc-status-details-bin');
    if (!(rich instanceof Buffer)) return { status: remote, text: details };
    const [detail] = decode('google.rpc.Status', rich).details ?? [];
    const value = (detail as { value?: Uint8Array } | undefined)?.value ?? new Uint8Array();
    const { reason } = decode('spire.api.types.PermissionDeniedDetails', value);
    return { status: remote, text: details, reason: String(reason) };
  }
}
