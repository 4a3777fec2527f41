import type { EncodedResource } from '../wire/resource.js';
import type { ClientNode } from './request.js';

/**
 * What a source says about a name that somebody asked for:
 * a resource; `unknown` (not yet known in this life: say nothing, keep what the client has); or `absent` (known not to
 * exist for this identity: delta answers `removed_resources`, state-of-the-world leaves it out).
 */
export type Answer = EncodedResource | 'unknown' | 'absent';

/** One subscriber's view of one type, for as long as its stream lives. */
export interface View {
  /** The answer for one name as of now. Cheap: called for every name on every change. */
  resource(name: string): Answer;
  /** All resources this identity may have, for wildcard subscriptions; `unknown` before the first sync. */
  all(): readonly EncodedResource[] | 'unknown';
  /**
   * For a view of so many resources that looking at all of them after every change would be too much: the names whose answer
   * may differ from what it was at the last call, or `any`. Without it every change may concern every name.
   */
  touched?(): Iterable<string> | 'any';
  /** Lets go of everything the view holds. Called once. */
  close(): void;
}

/**
 * Where the resources of one type come from, on behalf of an identity. The engine owns subscriptions, versions, ACK and
 * NACK; a source only says what a name is right now and when to look again.
 */
export interface ResourceSource<Identity> {
  readonly typeUrl: string;
  /**
   * Opens a view for a verified identity. `changed` may be called at any time afterwards, any number of times; the engine
   * looks again soon. `node` is what the client says about itself, if it does. Throws a Fault when the identity may have
   * nothing at all: it ends the stream.
   */
  open(identity: Identity, changed: () => void, node?: ClientNode): View;
}

/** What a client made of what it was sent. The engine emits these and knows nothing of revisions. */
export type XdsEvent<Identity> = Verdict<Identity> &
  ({ readonly kind: 'ack' } | { readonly kind: 'nack'; readonly message: string });

interface Verdict<Identity> {
  readonly identity: Identity;
  /** The client's `node.id`: a name that it gave itself, or empty. */
  readonly node: string;
  readonly typeUrl: string;
  /** What the response was about. A refused response about several resources is followed by one about each alone. */
  readonly names: readonly string[];
  readonly version: string;
}
