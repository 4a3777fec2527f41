import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type AgentSettings, type RunningAgent, runAgent } from '../../src/app/agent.js';
import { toPem } from '../../src/base/pem.js';
import { bundleFromPem } from '../../src/spiffe/bundle-pem.js';
import { silentLog } from '../../src/telemetry/log.js';
import { dialUnix } from '../../src/transport/dial-unix.js';
import { decode, typeUrlOf } from '../../src/wire/messages.js';
import type { MessageOut } from '../../src/wire/names.js';
import { serviceDefinition } from '../../src/wire/services.js';
import { shop } from './agent.js';
import { type Ending, temporaryFolder } from './children.js';
import { bundleApi, type RunningTestServer } from './running-server.js';

/** The server's trust bundle as PEM, as `plastron bundle show` prints it. */
export async function bundlePemOf(server: Pick<RunningTestServer, 'admin'>): Promise<string> {
  const { x509_authorities = [] } = await server.admin.unary(bundleApi.GetBundle, {});
  return x509_authorities.map(({ asn1 = Buffer.alloc(0) }) => toPem('CERTIFICATE', asn1)).join('');
}

/** An agent of `shop.example` that is attested and serves, in a folder of its own; syncs ten times a second. */
export async function runningAgent(
  t: TestContext,
  server: Pick<RunningTestServer, 'address' | 'admin' | 'clients'>,
  settings: Partial<AgentSettings> = {},
): Promise<RunningAgent & { settings: AgentSettings }> {
  const folder = temporaryFolder(t);
  const all: AgentSettings = {
    trustDomain: shop,
    servers: [server.address],
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
  server.clients.push(running.close);
  t.after(running.close);
  return { ...running, settings: all };
}

/** What a proxy sees on an agent's socket: the resources that it asked for, as they are now, and how often they came. */
export interface ProxyView<Message> {
  readonly resources: ReadonlyMap<string, Message>;
  readonly removed: ReadonlySet<string>;
  readonly responses: number;
  /** Why the stream ended, if it did. */
  readonly ended: unknown;
}
export type SecretMessage = MessageOut<'envoy.extensions.transport_sockets.tls.v3.Secret'>;
export type PolicyMessage = MessageOut<'envoy.config.core.v3.TypedExtensionConfig'>;

/** Asks for secrets over delta SDS and acknowledges whatever comes. This process is the workload. */
export function followSecrets(t: Ending, socket: string, ...names: string[]): ProxyView<SecretMessage> {
  const { DeltaSecrets } = serviceDefinition('envoy.service.secret.v3.SecretDiscoveryService');
  return follow(t, socket, DeltaSecrets, 'envoy.extensions.transport_sockets.tls.v3.Secret', names);
}

/** The same for policies, over delta ECDS. */
export function followPolicies(t: Ending, socket: string, ...names: string[]): ProxyView<PolicyMessage> {
  const service = 'envoy.service.extension.v3.ExtensionConfigDiscoveryService';
  const { DeltaExtensionConfigs } = serviceDefinition(service);
  return follow(t, socket, DeltaExtensionConfigs, 'envoy.config.core.v3.TypedExtensionConfig', names);
}

type DeltaMethod = ReturnType<
  typeof serviceDefinition<'envoy.service.secret.v3.SecretDiscoveryService'>
>['DeltaSecrets'];

function follow<Name extends string>(
  t: Ending,
  socket: string,
  method: DeltaMethod,
  message: Name,
  names: readonly string[],
): ProxyView<MessageOut<Name>> {
  const connection = dialUnix(socket);
  t.after(() => connection.close());
  const type_url = typeUrlOf(message);
  const stream = connection.stream(method);
  const state = {
    resources: new Map<string, MessageOut<Name>>(),
    removed: new Set<string>(),
    responses: 0,
    ended: undefined as unknown,
  };
  stream.send({ type_url, resource_names_subscribe: [...names], node: { id: 'test' } });
  void (async () => {
    for await (const response of stream.responses) {
      state.responses++;
      for (const { name = '', resource } of response.resources ?? []) {
        const { value = Buffer.alloc(0) } = (resource ?? {}) as { value?: Buffer };
        state.removed.delete(name);
        state.resources.set(name, decode(message, value));
      }
      for (const name of response.removed_resources ?? []) {
        state.resources.delete(name);
        state.removed.add(name);
      }
      stream.send({ type_url, response_nonce: response.nonce ?? '' });
    }
  })().catch((error: unknown) => {
    state.ended = error;
  });
  return state;
}
