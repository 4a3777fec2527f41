import { isFault } from '../base/faults/fault.js';
import { createListeners } from '../base/listeners.js';
import { type ClientStream, type GrpcConnection, remoteStatus } from './grpc-client.js';

/** One of the addresses of a service, as it was when it was last tried. */
export interface AddressState {
  readonly address: string;
  /** Why it did not answer; `undefined` while nothing is known against it. */
  readonly trouble: string | undefined;
}

/** Several addresses that the same service answers at, and which of them is asked. */
export interface Addresses {
  /** The one that is asked now: kept while it answers. */
  current(): string;
  /** In the order in which they were given. */
  states(): readonly AddressState[];
  /** It did not answer: the next one is asked, the first one after the last. Nothing happens unless it is the current one. */
  failed(address: string, error: unknown): void;
  answered(address: string): void;
  /** Another address is asked from now on. */
  onChange(listener: () => void): () => void;
}

/** Begins with any of them, so that many clients spread over all. `told` hears of each that did not answer, once an outage. */
export function createAddresses(
  addresses: readonly string[],
  told: (failure: { address: string; next: string; error: unknown }) => void,
  random: () => number = Math.random,
): Addresses {
  if (addresses.length === 0) throw new Error('a service without address');
  const troubles = new Map<string, string>();
  const { onChange, tell } = createListeners();
  let at = Math.floor(random() * addresses.length);
  const current = () => addresses[at] ?? '';
  return {
    current,
    states: () => addresses.map((address) => ({ address, trouble: troubles.get(address) })),
    failed(address, error) {
      const isNews = !troubles.has(address);
      troubles.set(address, error instanceof Error ? error.message : String(error));
      if (address !== current()) return;
      at = (at + 1) % addresses.length;
      if (isNews && addresses.length > 1) told({ address, next: current(), error });
      if (address !== current()) tell();
    },
    answered: (address) => void troubles.delete(address),
    onChange,
  };
}

/**
 * A connection to whichever of the addresses answers. A call that finds nobody there (or whom we refuse) fails, and the next
 * one goes to the next address: whoever calls tries again, with the backoff that is right for what it does. When the address
 * changes, all calls that run over the old one are broken off, so that streams move along.
 */
export function failoverConnection(
  addresses: Addresses,
  dial: (address: string) => GrpcConnection,
): GrpcConnection {
  let open: { address: string; connection: GrpcConnection } | undefined;
  const drop = () => {
    open?.connection.close();
    open = undefined;
  };
  const stopFollowing = addresses.onChange(drop);
  const connect = () => {
    const address = addresses.current();
    open ??= { address, connection: dial(address) };
    return open;
  };
  return {
    async unary(method, request, options) {
      const { address, connection } = connect();
      try {
        const response = await connection.unary(method, request, options);
        addresses.answered(address);
        return response;
      } catch (error) {
        judge(addresses, address, error);
        throw error;
      }
    },
    stream(method, options) {
      const { address, connection } = connect();
      return watched(connection.stream(method, options), addresses, address);
    },
    close() {
      stopFollowing();
      drop();
    },
  };
}

function watched<Request, Response>(
  stream: ClientStream<Request, Response>,
  addresses: Addresses,
  address: string,
): ClientStream<Request, Response> {
  const responses = async function* () {
    try {
      for await (const response of stream.responses) {
        addresses.answered(address);
        yield response;
      }
    } catch (error) {
      judge(addresses, address, error);
      throw error;
    }
  };
  return { ...stream, responses: responses() };
}

/** What another server may do better. Any other answer is an answer. */
const noAnswer: readonly (string | undefined)[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED'];

function judge(addresses: Addresses, address: string, error: unknown): void {
  const status = remoteStatus(error);
  if (isFault(error, 'TRN0302') || noAnswer.includes(status)) addresses.failed(address, error);
  else if (status !== undefined && status !== 'CANCELLED') addresses.answered(address);
}
