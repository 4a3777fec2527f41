import type { DeltaNames } from './request.js';

/** What a client wants of one type. */
export interface Subscription {
  /** Everything that it may have. */
  wildcard: boolean;
  readonly names: Set<string>;
  /** Whether it ever named anything: an empty list from a client that never did means everything. */
  hasNamed: boolean;
}

export function noSubscription(): Subscription {
  return { wildcard: false, names: new Set(), hasNamed: false };
}

/** What a request changed. */
export interface SubscriptionChange {
  /** Names to be sent, whatever the client may have of them. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

const everything = '*';

/** What the list of a state-of-the-world request means, after what the client asked for so far. */
export function meaningOf(
  listed: readonly string[],
  { hasNamed }: Subscription,
): { wildcard: boolean; names: ReadonlySet<string> } {
  const names = namesIn(listed);
  return { wildcard: listed.includes(everything) || (names.size === 0 && !hasNamed), names };
}

/** Takes the list of a state-of-the-world request over. */
export function replaceNames(subscription: Subscription, listed: readonly string[]): SubscriptionChange {
  const { wildcard, names } = meaningOf(listed, subscription);
  subscription.wildcard = wildcard;
  subscription.hasNamed ||= names.size > 0 || listed.includes(everything);
  const added = [...names].filter((name) => !subscription.names.has(name));
  const removed = [...subscription.names].filter((name) => !names.has(name));
  for (const name of added) subscription.names.add(name);
  for (const name of removed) subscription.names.delete(name);
  return { added, removed };
}

/** Takes the changes of a delta request over. A name that is subscribed to again is added again: the client wants it sent. */
export function changeNames(
  subscription: Subscription,
  { subscribe, unsubscribe }: DeltaNames,
): SubscriptionChange {
  const isFirst = !subscription.hasNamed && !subscription.wildcard;
  if (subscribe.includes(everything) || (isFirst && subscribe.length === 0)) subscription.wildcard = true;
  if (unsubscribe.includes(everything)) subscription.wildcard = false;
  subscription.hasNamed ||= subscribe.length + unsubscribe.length > 0;
  const added = [...namesIn(subscribe)];
  for (const name of added) subscription.names.add(name);
  const removed = [...namesIn(unsubscribe)].filter((name) => subscription.names.delete(name));
  return { added, removed };
}

/** An empty name is none (as SPIRE's agent has it). */
function namesIn(listed: readonly string[]): Set<string> {
  return new Set(listed.filter((name) => name !== '' && name !== everything));
}
