import type { Entry } from '../../registration/entry.js';
import { checkEntryId, checkFederatesWith, checkParentId } from '../../registration/entry-rules.js';
import type { TrustDomain } from '../../spiffe/id.js';
import type { MessageOut } from '../../wire/names.js';
import { selectorMatcher, setMatcher } from './match-behaviour.js';
import { idText } from './messages.js';

type Filter = NonNullable<MessageOut<'spire.api.server.entry.v1.ListEntriesRequest'>['filter']>;
type Test = (entry: Entry) => boolean;

/**
 * What a filter lets through: everything that it does not speak of. It is read before any entry is looked at, and what no
 * entry could have is refused. Throws SRV0204, IDN01xx, REG01xx, REG02xx.
 */
export function entryFilter(filter: Filter | undefined | null, trustDomain: TrustDomain): Test {
  if (!filter) return () => true;
  const tests = [...idTests(filter, trustDomain), ...setTests(filter, trustDomain)];
  const { by_hint, by_downstream } = filter;
  if (by_hint) tests.push(({ hint }) => hint === (by_hint.value ?? ''));
  if (by_downstream) tests.push(({ downstream }) => downstream === (by_downstream.value ?? false));
  return (entry) => tests.every((test) => test(entry));
}

function idTests({ by_spiffe_id, by_parent_id }: Filter, trustDomain: TrustDomain): Test[] {
  const tests: Test[] = [];
  if (by_spiffe_id) {
    const wanted = checkEntryId(idText(by_spiffe_id, 'filter.by_spiffe_id'), trustDomain);
    tests.push(({ spiffeId }) => spiffeId === wanted);
  }
  if (by_parent_id) {
    const wanted = checkParentId(idText(by_parent_id, 'filter.by_parent_id'), trustDomain);
    tests.push(({ parentId }) => parentId === wanted);
  }
  return tests;
}

function setTests({ by_selectors, by_federates_with }: Filter, trustDomain: TrustDomain): Test[] {
  const tests: Test[] = [];
  if (by_selectors) {
    const matches = selectorMatcher(by_selectors);
    tests.push(({ selectors }) => matches(selectors));
  }
  if (by_federates_with) {
    const names = by_federates_with.trust_domains ?? [];
    const wanted = names.map((name) => checkFederatesWith(name, trustDomain));
    const matches = setMatcher(wanted, by_federates_with.match);
    tests.push(({ federatesWith }) => matches(federatesWith));
  }
  return tests;
}
