import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type AgentSettings, type RunningAgent, runAgent } from '../../src/app/agent.js';
import { toPem } from '../../src/base/pem.js';
import { bundleFromPem } from '../../src/spiffe/bundle-pem.js';
import { silentLog } from '../../src/telemetry/log.js';
import { dialUnix } from '../../src/transport/dial-unix.js';
import { decode, typeUrlOf } from '../../src/wire/messages.js';
import { serviceDefinition } from '../../src/wire/services.js';
import { shop } from './agent.js';
import { temporaryFolder } from './children.js';
import { bundleApi, type RunningTestServer } from './running-server.js';

/** The server's trust bundle as PEM, as `plastron bundle show` prints it. */
export async function bundlePemOf(server: RunningTestServer): Promise<string> {
  const { x509_authorities = [] } = await server.admin.unary(bundleApi.GetBundle, {});
  return x509_authorities.map(({ asn1 = Buffer.alloc(0) }) => toPem('CERTIFICATE', asn1)).join('');
}

/** An agent of `shop.example` that is attested and serves, in a folder of its own; syncs ten times a second. */
export async function runningAgent(
  t: TestContext,
  server: RunningTestServer,
  settings: Partial<AgentSettings> = {},
): Promise<RunningAgent & { settings: AgentSettings }> {
  const folder = temporaryFolder(t);
  const all: AgentSettings = {
    trustDomain: shop,
    server: server.address,
    dataDir: join(folder, 'data'),
    socket: join(folder, 'agent.sock'),
    adminSocket: join(folder, 'admin.sock'),
    bootstrap: settings.bootstrap ?? {
      kind: 'bundle',
      bundle: bundleFromPem(shop, await bundlePemOf(server)),
    },
    joinToken: {},
    syncIntervalMs: 100,
    log: silentLog,
    ...settings,
  };
  const running = await runAgent(all);
  if (!running) throw new Error('the start was given up');
  t.after(() => running.close());
  return { ...running, settings: all };
}

/** What a proxy sees on an agent's socket: the secrets that it asked for, as they are now, and how often they came. */
export interface SecretsClient {
  readonly secrets: ReadonlyMap<string, SecretMessage>;
  readonly removed: ReadonlySet<string>;
  readonly responses: number;
  /** Why the stream ended, if it did. */
  readonly ended: unknown;
}
export type SecretMessage = ReturnType<typeof decodeSecret>;

/** Asks for secrets over delta SDS and acknowledges whatever comes. This process is the workload. */
export function followSecrets(t: TestContext, socket: string, ...names: string[]): SecretsClient {
  const connection = dialUnix(socket);
  t.after(() => connection.close());
  const { DeltaSecrets } = serviceDefinition('envoy.service.secret.v3.SecretDiscoveryService');
  const type_url = typeUrlOf('envoy.extensions.transport_sockets.tls.v3.Secret');
  const stream = connection.stream(DeltaSecrets);
  const state = {
    secrets: new Map<string, SecretMessage>(),
    removed: new Set<string>(),
    responses: 0,
    ended: undefined as unknown,
  };
  stream.send({ type_url, resource_names_subscribe: names, node: { id: 'test' } });
  void (async () => {
    for await (const response of stream.responses) {
      state.responses++;
      for (const { name = '', resource } of response.resources ?? []) {
        state.removed.delete(name);
        state.secrets.set(name, decodeSecret(resource));
      }
      for (const name of response.removed_resources ?? []) {
        state.secrets.delete(name);
        state.removed.add(name);
      }
      stream.send({ type_url, response_nonce: response.nonce ?? '' });
    }
  })().catch((error: unknown) => {
    state.ended = error;
  });
  return state;
}

function decodeSecret(any: object | null | undefined) {
  const { value = Buffer.alloc(0) } = (any ?? {}) as { value?: Buffer };
  return decode('envoy.extensions.transport_sockets.tls.v3.Secret', value);
}

/** Waits for a fact; the test's own time limit is the only one. */
export async function eventually(fact: () => boolean): Promise<void> {
  while (!fact()) await new Promise((resolve) => setTimeout(resolve, 5));
}
