import { Metadata } from '@grpc/grpc-js';
import { dialUnix } from '../../src/transport/dial-unix.js';
import type { MessageOut } from '../../src/wire/names.js';
import { serviceDefinition } from '../../src/wire/services.js';
import type { Ending } from './children.js';

export const workloadMethods = serviceDefinition('SpiffeWorkloadAPI');

/** The header that every request of the Workload API has, or other ones in its place. */
export function headers(...values: string[]): Metadata {
  const metadata = new Metadata();
  for (const value of values.length > 0 ? values : ['true']) metadata.add('workload.spiffe.io', value);
  return metadata;
}

export type X509State = MessageOut<'X509SVIDResponse'>;

/** A client of the Workload API on a socket. This process is the workload. */
export function workloadClient(t: Ending, socket: string, metadata = headers()) {
  const connection = dialUnix(socket);
  t.after(() => connection.close());
  const { FetchX509SVID, FetchX509Bundles, FetchJWTBundles, FetchJWTSVID, ValidateJWTSVID } = workloadMethods;
  return {
    connection,
    x509Svids: () => stateStream<X509State>(connection.stream(FetchX509SVID, { metadata })),
    x509Bundles: () =>
      stateStream<MessageOut<'X509BundlesResponse'>>(connection.stream(FetchX509Bundles, { metadata })),
    jwtBundles: () =>
      stateStream<MessageOut<'JWTBundlesResponse'>>(connection.stream(FetchJWTBundles, { metadata })),
    fetchJwt: (audience: string[], spiffe_id = '') =>
      connection.unary(FetchJWTSVID, { audience, spiffe_id }, { metadata }),
    validateJwt: (audience: string, svid: string) =>
      connection.unary(ValidateJWTSVID, { audience, svid }, { metadata }),
  };
}

/** A stream of states, one after the other; `next` throws what ended it, and fails when it ended well. */
function stateStream<State>(stream: {
  send(request: object): void;
  end(): void;
  cancel(): void;
  responses: AsyncIterable<State>;
}) {
  stream.send({});
  stream.end();
  const states = stream.responses[Symbol.asyncIterator]();
  return {
    async next(): Promise<State> {
      const { done, value } = await states.next();
      if (done) throw new Error('the stream ended');
      return value;
    },
    /** The first state that has the property. */
    async until(holds: (state: State) => boolean): Promise<State> {
      for (;;) {
        const state = await this.next();
        if (holds(state)) return state;
      }
    },
    cancel: stream.cancel,
  };
}
