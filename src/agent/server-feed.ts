import type { Bundle } from '../spiffe/bundle.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { Log } from '../telemetry/log.js';
import { decode, typeUrlOf } from '../wire/messages.js';
import type { ReceivedResource, ResourceFeed } from '../xds/client.js';
import { bundleFromMessage, readEntry } from './server-messages.js';
import { type AgentEntry, byPrecedence } from './snapshot.js';

/** What the server has for this agent, as it pushed it. */
export interface Pushed {
  /** In their order of precedence. Entries and bundles that did not change are the same objects. */
  readonly entries: readonly AgentEntry[];
  readonly bundle: Bundle;
  readonly federated: ReadonlyMap<TrustDomain, Bundle>;
}

export interface ServerFeed {
  /** `undefined` unless all of it is up to date: whoever needs to know then has to ask the server. */
  current(): Pushed | undefined;
  onChange(listener: () => void): () => void;
}

/** Follows all resources of a type that the server has for this agent. */
export type Follow = <Value>(
  typeUrl: string,
  read: (resource: ReceivedResource) => Value,
) => ResourceFeed<Value>;

const entryType = 'spire.api.types.Entry';
const bundleType = 'spire.api.types.Bundle';

/**
 * Entries and bundles that the server pushes, each the moment it changes. A server that does not know how, as SPIRE's, never
 * brings this up to date. An entry that cannot be read is logged and left out; a bundle that cannot be read is refused.
 */
export function serverFeed(follow: Follow, trustDomain: TrustDomain, log: Log): ServerFeed {
  const entries = follow(typeUrlOf(entryType), ({ name, version, value }) =>
    readEntry(name, () => decode(entryType, value), log, version),
  );
  const bundles = follow(typeUrlOf(bundleType), ({ value }) => bundleFromMessage(decode(bundleType, value)));
  const inOrder = remembering(sorted);
  return {
    current() {
      const [known, trusted] = [entries.current(), bundles.current()];
      if (known === 'unknown' || trusted === 'unknown') return undefined;
      const bundle = trusted.get(trustDomain);
      if (!entries.isLive() || !bundles.isLive() || !bundle) return undefined;
      const foreign = [...trusted.values()].filter((one) => one.trustDomain !== trustDomain);
      return {
        entries: inOrder(known),
        bundle,
        federated: new Map(foreign.map((one) => [one.trustDomain, one])),
      };
    },
    onChange(listener) {
      const stops = [entries.onChange(listener), bundles.onChange(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

function sorted(entries: ReadonlyMap<string, AgentEntry | undefined>): AgentEntry[] {
  return [...entries.values()].filter((entry) => entry !== undefined).sort(byPrecedence);
}

function remembering<Given, Made>(make: (given: Given) => Made): (given: Given) => Made {
  let last: { given: Given; made: Made } | undefined;
  return (given) => {
    if (last?.given !== given) last = { given, made: make(given) };
    return last.made;
  };
}
