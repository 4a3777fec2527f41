import { isDeepStrictEqual } from 'node:util';
import type { SpiffeId, TrustDomain } from '../spiffe/id.js';
import type { FederatedBundles } from './federated-bundles.js';
import type { StoreContents, StoreEvent, StoreFollower } from './ports.js';
import type { Registry } from './registry.js';

/**
 * Keeps what is in memory what is in the store, whoever wrote it: this server, whose own writes show already, or another one
 * on the same database. Nobody hears of a change that is none.
 */
export function storeFollower(
  registry: Pick<
    Registry,
    'entry' | 'entries' | 'agent' | 'agents' | 'takeOver' | 'takeOverAgents' | 'takeOverUnsettled'
  >,
  bundles: Pick<FederatedBundles, 'bundle' | 'all' | 'takeOver'>,
): StoreFollower {
  const takeOver = (contents: StoreContents, named: Named) => {
    // Bundles first: entries federate with them.
    const ofBundles = differences(contents.bundles, named.bundle, trustDomainOf, bundles.bundle);
    if (ofBundles) bundles.takeOver(ofBundles.written, ofBundles.gone);
    registry.takeOverUnsettled(contents.unsettledSerials);
    const ofAgents = differences(contents.agents, named.agent, idOf, registry.agent);
    if (ofAgents) registry.takeOverAgents(ofAgents.written, ofAgents.gone);
    const ofEntries = differences(contents.entries, named.entry, idOf, registry.entry);
    if (ofEntries) registry.takeOver(ofEntries.written, ofEntries.gone);
  };
  return {
    changes: ({ events, contents }) => {
      const named = (kind: StoreEvent['kind']) => events.filter((one) => one.kind === kind).map(idOf);
      // Only the store writes events: each kind has its own IDs.
      takeOver(contents, {
        bundle: named('bundle') as TrustDomain[],
        agent: named('agent') as SpiffeId[],
        entry: named('entry'),
      });
    },
    reset: (contents) =>
      takeOver(contents, {
        bundle: Array.from(bundles.all(), trustDomainOf),
        agent: Array.from(registry.agents(), idOf),
        entry: Array.from(registry.entries(), idOf),
      }),
  };
}

/** What may have changed or gone. */
interface Named {
  readonly bundle: readonly TrustDomain[];
  readonly agent: readonly SpiffeId[];
  readonly entry: readonly string[];
}

const idOf = <Id extends string>({ id }: { readonly id: Id }): Id => id;
const trustDomainOf = ({ trustDomain }: { readonly trustDomain: TrustDomain }) => trustDomain;

/** What is not as it is known, and what is known and not there any more; `undefined` when there is neither. */
function differences<Id extends string, Item>(
  there: readonly Item[],
  named: readonly Id[],
  keyOf: (item: Item) => Id,
  known: (id: Id) => Item | undefined,
): { written: Item[]; gone: Id[] } | undefined {
  const kept = new Set(there.map(keyOf));
  const written = there.filter((item) => !isDeepStrictEqual(item, known(keyOf(item))));
  const gone = [...new Set(named)].filter((id) => !kept.has(id) && known(id) !== undefined);
  return written.length + gone.length === 0 ? undefined : { written, gone };
}
