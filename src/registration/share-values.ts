import type { Entry, Selector } from './entry.js';

/** So many values are remembered: more than a trust domain has nodes and kinds of workloads. */
const maxKnown = 10_000;

/**
 * Gives entries that share what many of them have in common: parents, lists of selectors, and nothing at all. Of a hundred
 * thousand entries that is the larger part of the memory.
 */
export function valueSharing(): (entry: Entry) => Entry {
  const strings = new Map<string, string>();
  const lists = new Map<string, readonly Selector[]>();
  const shared = <Text extends string>(text: Text): Text => {
    const known = strings.get(text);
    // It is the same text.
    if (known !== undefined) return known as Text;
    if (strings.size >= maxKnown) strings.clear();
    strings.set(text, text);
    return text;
  };
  const sharedList = (selectors: readonly Selector[]): readonly Selector[] => {
    const key = JSON.stringify(selectors);
    const known = lists.get(key);
    if (known) return known;
    const list = selectors.map(({ type, value }) => ({ type: shared(type), value }));
    if (lists.size >= maxKnown) lists.clear();
    lists.set(key, list);
    return list;
  };
  return (entry) => ({
    ...entry,
    parentId: shared(entry.parentId),
    selectors: sharedList(entry.selectors),
    dnsNames: entry.dnsNames.length === 0 ? none : entry.dnsNames,
    federatesWith: entry.federatesWith.length === 0 ? none : entry.federatesWith.map(shared),
  });
}

const none: readonly never[] = [];
