import type { EncodedResource } from '../wire/resource.js';
import { moreToCome, type Protocol, versionOf, type XdsResponse } from './response.js';
import type { Answer, View } from './source.js';
import { meaningOf, noSubscription, type Subscription, type SubscriptionChange } from './subscription.js';

/**
 * What one client has of one type, what it was sent and has not answered yet, and what it refused. Both protocols share it:
 * they differ in what a response must hold, not in what has to be known.
 */
export interface Delivery {
  readonly protocol: Protocol;
  readonly subscription: Subscription;
  /** What the client has accepted, by name. */
  readonly held: Map<string, Held>;
  /** Versions that the client refused, by name: not sent again until the source has another one. */
  readonly parked: Map<string, string>;
  /** Names that were refused together: sent one by one from then on, until each has been accepted or parked. */
  readonly suspects: Set<string>;
  /** Names whose last good resource is sent again, because the client refused the one after it. */
  readonly toRestore: Set<string>;
  /** The one response that waits for its answer; while there is one, nothing is sent. */
  pending: Pending | undefined;
  /** Of a view that says what it touched: the names that are still to be looked at. */
  unseen: Set<string> | 'any';
  /** Whether a client that wants everything waits for word that it has heard everything. */
  owesMore: boolean;
  /** Whether a response was ever sent. */
  hasSent: boolean;
  lastNonce: string;
}

/** A resource, or only the version of one from an earlier stream, or `absent`: the client was told that there is none. */
export type Held = EncodedResource | { readonly version: string } | 'absent';

type Change = EncodedResource | 'absent';

/** The client may have it or not, in some version: whatever the source says is sent. */
const unsure: Held = { version: '' };

interface Pending {
  readonly response: XdsResponse;
  /** What the client will have when it accepts. */
  readonly changes: Map<string, Held>;
  readonly isSingle: boolean;
  readonly isRestoring: boolean;
}

export function newDelivery(protocol: Protocol): Delivery {
  return {
    protocol,
    subscription: noSubscription(),
    held: new Map(),
    parked: new Map(),
    suspects: new Set(),
    toRestore: new Set(),
    pending: undefined,
    unseen: 'any',
    owesMore: false,
    hasSent: false,
    lastNonce: '',
  };
}

/** Lets a change of the subscription take effect: what was added is sent afresh, what was removed is forgotten. */
export function applySubscription(
  delivery: Delivery,
  { added, removed }: SubscriptionChange,
  initialVersions: ReadonlyMap<string, string> = new Map(),
): void {
  const { held } = delivery;
  delivery.unseen = 'any';
  forget(delivery, (name) => !isInScope(delivery, name));
  const touched = new Set([...added, ...removed]);
  forget(delivery, (name) => touched.has(name));
  for (const name of touched) if (isInScope(delivery, name)) held.set(name, unsure);
  for (const [name, version] of initialVersions) if (isInScope(delivery, name)) held.set(name, { version });
}

/**
 * A state-of-the-world request that is out of date changes no subscription, but what it leaves out the client has dropped,
 * even if it wants it again by now.
 */
export function applyOutdated(delivery: Delivery, listed: readonly string[]): void {
  const { wildcard, names } = meaningOf(listed, delivery.subscription);
  if (!wildcard) forget(delivery, (name) => !names.has(name));
}

function forget({ held, parked, suspects, toRestore, pending }: Delivery, isOne: (name: string) => boolean) {
  for (const known of [held, parked, suspects, toRestore]) {
    for (const name of known.keys()) if (isOne(name)) known.delete(name);
  }
  // Nobody can tell whether the client reads that response before or after it changed its mind.
  const inFlight = pending?.response.resources.map(({ name }) => name) ?? [];
  for (const name of [...inFlight, ...(pending?.response.removed ?? [])]) {
    if (isOne(name)) pending?.changes.set(name, unsure);
  }
}

function isInScope({ subscription }: Delivery, name: string): boolean {
  return subscription.wildcard || subscription.names.has(name);
}

/** What the client made of a response. */
export interface Verdict {
  readonly names: readonly string[];
  readonly version: string;
}

/** The client accepted the pending response. */
export function accept(delivery: Delivery): Verdict | undefined {
  const { held, suspects, subscription, pending } = delivery;
  if (!pending) return undefined;
  delivery.pending = undefined;
  for (const [name, change] of pending.changes) {
    if (!pending.isRestoring) suspects.delete(name);
    const isKept = change === 'absent' ? subscription.names.has(name) : isInScope(delivery, name);
    if (isKept) held.set(name, change);
    else held.delete(name);
  }
  return verdictOf(pending);
}

/** The client refused the pending response. The last good resources are sent again at once: a refused secret poisons Envoy. */
export function refuse(delivery: Delivery): Verdict | undefined {
  const { held, parked, suspects, toRestore, pending } = delivery;
  if (!pending) return undefined;
  delivery.pending = undefined;
  delivery.unseen = 'any';
  delivery.owesMore = delivery.protocol === 'delta';
  // A client that refuses even what it had accepted is left alone until something changes.
  if (pending.isRestoring) return verdictOf(pending);
  for (const [name, change] of pending.changes) {
    if (change === unsure) continue;
    if (hasBytes(held.get(name))) toRestore.add(name);
    if (!pending.isSingle) suspects.add(name);
    else {
      suspects.delete(name);
      parked.set(name, change === 'absent' ? '' : change.version);
    }
  }
  return verdictOf(pending);
}

/** The next response, if there is anything to say; it is pending from then on. */
export function nextResponse(delivery: Delivery, view: View): XdsResponse | undefined {
  if (delivery.pending) return undefined;
  const restored = restoredBy(delivery);
  const found = restored ?? changesOf(delivery, view);
  const changes = restored ?? pickFrom(delivery, found);
  for (const name of found.keys()) if (!changes.has(name)) lookAgain(delivery, name);
  const { wildcard } = delivery.subscription;
  const isPart = restored !== undefined || changes.size < found.size || isUnfinished(delivery);
  const isMore = isPart && wildcard && delivery.protocol === 'delta';
  // A client that wants everything must hear it even when that is nothing, and when it has heard everything.
  const isEnd = wildcard && !isPart && (!delivery.hasSent || delivery.owesMore) && view.all() !== 'unknown';
  if (changes.size === 0 && !isEnd) return undefined;
  const response = responseOf(delivery, changes, isMore);
  const isSingle = changes.size === 1;
  delivery.pending = { response, changes, isSingle, isRestoring: restored !== undefined };
  delivery.hasSent = true;
  delivery.owesMore = isMore;
  delivery.lastNonce = response.nonce;
  return response;
}

/** Whether there are names that nobody has looked at yet: there may be something to say although nothing was said. */
export function isUnfinished({ unseen }: Delivery): boolean {
  return unseen !== 'any' && unseen.size > 0;
}

function lookAgain({ unseen }: Delivery, name: string): void {
  if (unseen !== 'any') unseen.add(name);
}

function restoredBy({ held, toRestore }: Delivery): Map<string, Change> | undefined {
  const restored = new Map<string, Change>();
  for (const name of toRestore) {
    const resource = held.get(name);
    if (hasBytes(resource)) restored.set(name, resource);
  }
  toRestore.clear();
  return restored.size === 0 ? undefined : restored;
}

/** What the client should have and does not: everything, or of a view that says what it touched the next slice. */
function changesOf(delivery: Delivery, view: View): Map<string, Change> {
  const { subscription, protocol } = delivery;
  const touched = view.touched?.();
  const isSliced = touched !== undefined && subscription.wildcard && protocol === 'delta';
  return isSliced ? changesInSlice(delivery, view, touched) : allChanges(delivery, view);
}

function allChanges(delivery: Delivery, view: View): Map<string, Change> {
  const { subscription, held } = delivery;
  const changes = new Map<string, Change>();
  const consider = (name: string, answer: Answer) => {
    if (answer !== 'unknown' && differs(delivery, name, answer)) changes.set(name, answer);
  };
  for (const name of subscription.names) consider(name, view.resource(name));
  const all = subscription.wildcard ? view.all() : 'unknown';
  if (all === 'unknown') return changes;
  const existing = new Set(subscription.names);
  for (const resource of all) {
    existing.add(resource.name);
    if (!subscription.names.has(resource.name)) consider(resource.name, resource);
  }
  for (const name of held.keys()) if (!existing.has(name)) consider(name, 'absent');
  return changes;
}

/** How many names are looked at before other streams have their turn. */
const sliceSize = 500;

function changesInSlice(
  delivery: Delivery,
  view: View,
  touched: Iterable<string> | 'any',
): Map<string, Change> {
  const { subscription, held } = delivery;
  const changes = new Map<string, Change>();
  const unseen = stillUnseen(delivery, view, touched);
  let left = sliceSize;
  for (const name of unseen) {
    if (left-- === 0) break;
    unseen.delete(name);
    const answer = view.resource(name);
    const isNews = answer !== 'absent' || held.has(name) || subscription.names.has(name);
    if (answer !== 'unknown' && isNews && differs(delivery, name, answer)) changes.set(name, answer);
  }
  return changes;
}

function stillUnseen(delivery: Delivery, view: View, touched: Iterable<string> | 'any'): Set<string> {
  if (touched !== 'any' && delivery.unseen !== 'any') {
    for (const name of touched) delivery.unseen.add(name);
    return delivery.unseen;
  }
  const all = view.all();
  delivery.unseen = 'any';
  if (all === 'unknown') return new Set();
  delivery.unseen = new Set([...delivery.subscription.names, ...delivery.held.keys()]);
  for (const { name } of all) delivery.unseen.add(name);
  return delivery.unseen;
}

function differs({ protocol, subscription, held, parked }: Delivery, name: string, answer: Change): boolean {
  const has = held.get(name);
  const version = answer === 'absent' ? '' : answer.version;
  const refused = parked.get(name);
  if (refused === version) return false;
  if (refused !== undefined) parked.delete(name);
  if (answer !== 'absent') return has === undefined || has === 'absent' || has.version !== version;
  if (protocol === 'delta') return has !== 'absent';
  // State of the world has no word for "removed": leaving a name out means that only where everything is asked for.
  if (subscription.wildcard) return has !== undefined && has !== 'absent';
  if (has !== undefined) held.set(name, unsure);
  return false;
}

/** A response holds at most about this many bytes, unless one resource alone is larger. */
const batchBytes = 1024 * 1024;

/**
 * Which of the changes go into the next response. A delta client that names its resources gets them one by one, so that a
 * refusal says which one; one that wants everything gets batches. Suspects come last and alone.
 */
function pickFrom(
  { protocol, subscription, suspects }: Delivery,
  changes: Map<string, Change>,
): Map<string, Change> {
  const [first] = changes;
  const sound = [...changes].filter(([name]) => !suspects.has(name));
  if (sound.length === 0) return new Map(first && [first]);
  if (protocol === 'sotw') return new Map(sound);
  const resources = sound.filter(([, change]) => change !== 'absent');
  if (resources.length === 0) return new Map(sound);
  if (!subscription.wildcard) return new Map(resources.slice(0, 1));
  const batch = new Map<string, Change>();
  let bytes = 0;
  for (const [name, change] of resources) {
    bytes += hasBytes(change) ? change.any.length : 0;
    if (batch.size > 0 && bytes > batchBytes) break;
    batch.set(name, change);
  }
  return batch;
}

function responseOf(delivery: Delivery, changes: Map<string, Change>, isMore: boolean): XdsResponse {
  const content = delivery.protocol === 'delta' ? changes : new Map([...delivery.held, ...changes]);
  const resources: EncodedResource[] = [];
  const removed: string[] = [];
  for (const [name, what] of content) {
    if (hasBytes(what)) resources.push(what);
    else if (delivery.protocol === 'delta') removed.push(name);
  }
  resources.sort((a, b) => (a.name < b.name ? -1 : 1));
  const version = versionOf(resources, removed);
  // Two responses in a row never share a nonce; apart from that the version will do, so that streams can share the bytes.
  const marked = isMore ? `${version}${moreToCome}` : version;
  const nonce = marked === delivery.lastNonce ? `again.${marked}` : marked;
  return { resources, removed, version, nonce };
}

function hasBytes(held: Held | undefined): held is EncodedResource {
  return typeof held === 'object' && 'any' in held;
}

function verdictOf({ response, changes }: Pending): Verdict {
  return { names: [...changes.keys()], version: response.version };
}
