import type { Entry } from '../../registration/entry.js';
import { formatSelector } from '../../registration/selector.js';
import type { MessageOut } from '../../wire/names.js';
import { matchesSet } from './match-behaviour.js';
import { idText, selectorsIn } from './messages.js';

type Filter = NonNullable<MessageOut<'spire.api.server.entry.v1.ListEntriesRequest'>['filter']>;

/** What a filter lets through: everything that it does not speak of. Throws SRV0204. */
export function entryFilter(filter: Filter | undefined | null): (entry: Entry) => boolean {
  const { by_spiffe_id, by_parent_id, by_selectors, by_federates_with, by_hint, by_downstream } =
    filter ?? {};
  const spiffeId = by_spiffe_id ? idText(by_spiffe_id, 'filter.by_spiffe_id') : undefined;
  const parentId = by_parent_id ? idText(by_parent_id, 'filter.by_parent_id') : undefined;
  const selectors = selectorsIn(by_selectors?.selectors).map(formatSelector);
  const federated = (by_federates_with?.trust_domains ?? []).map((name) => name.replace(/^spiffe:\/\//, ''));
  return (entry) =>
    (spiffeId === undefined || entry.spiffeId === spiffeId) &&
    (parentId === undefined || entry.parentId === parentId) &&
    (!by_selectors || matchesSet(entry.selectors.map(formatSelector), selectors, by_selectors.match)) &&
    (!by_federates_with || matchesSet(entry.federatesWith, federated, by_federates_with.match)) &&
    (!by_hint || entry.hint === (by_hint.value ?? '')) &&
    (!by_downstream || entry.downstream === (by_downstream.value ?? false));
}
