import { dialUnix } from '../../src/transport/dial-unix.js';
import { decode, typeUrlOf } from '../../src/wire/messages.js';
import type { MessageIn } from '../../src/wire/names.js';
import { serviceDefinition } from '../../src/wire/services.js';
import type { Ending } from './children.js';
import type { SecretMessage } from './running-agent.js';

export const secretType = typeUrlOf('envoy.extensions.transport_sockets.tls.v3.Secret');

/** A response of SDS, its secrets by name. */
export interface SecretsResponse {
  readonly secrets: Readonly<Record<string, SecretMessage>>;
  readonly names: readonly string[];
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
}

type Request = MessageIn<'envoy.service.discovery.v3.DiscoveryRequest'>;

/** A client of SDS that does nothing by itself: each request is the test's, and so is each look at a response. */
export interface SdsStream {
  /** Of the secrets' type unless it says otherwise. */
  ask(request: Request): void;
  /** The next response that was not looked at yet; rejects with what the stream ended with. */
  next(): Promise<SecretsResponse>;
  /** Accepts a response, going on with `names`. */
  accept(response: SecretsResponse, ...names: string[]): void;
  /** Closes the client's half. */
  end(): void;
}

/** State of the world, on a connection of its own, which is closed with the test. */
export function sdsStream(ending: Ending, socket: string): SdsStream {
  const connection = dialUnix(socket);
  ending.after(() => connection.close());
  const { StreamSecrets } = serviceDefinition('envoy.service.secret.v3.SecretDiscoveryService');
  const stream = connection.stream(StreamSecrets);
  const responses = stream.responses[Symbol.asyncIterator]();
  const ask = (request: Request) => stream.send({ type_url: secretType, ...request });
  return {
    ask,
    next: async () => {
      const { value, done } = await responses.next();
      if (done) throw new Error('the stream ended with OK');
      return readResponse(value);
    },
    accept: ({ version, nonce }, ...resource_names) =>
      ask({ version_info: version, response_nonce: nonce, resource_names }),
    end: () => stream.end(),
  };
}

interface Raw {
  readonly resources?: readonly object[];
  readonly type_url?: string;
  readonly version_info?: string;
  readonly nonce?: string;
}

export function readResponse({
  resources = [],
  type_url = '',
  version_info = '',
  nonce = '',
}: Raw): SecretsResponse {
  const all = resources.map((any) => {
    const { value = Buffer.alloc(0) } = any as { value?: Buffer };
    return decode('envoy.extensions.transport_sockets.tls.v3.Secret', value);
  });
  return {
    secrets: Object.fromEntries(all.map((secret) => [secret.name ?? '', secret])),
    names: all.map(({ name = '' }) => name),
    ...{ typeUrl: type_url, version: version_info, nonce },
  };
}
