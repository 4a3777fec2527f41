import { contentVersion } from '../base/digest.js';
import type { Entry } from '../registration/entry.js';
import type { VerifiedPeer } from '../transport/verified-peer.js';
import { encodeAny, typeUrlOf } from '../wire/messages.js';
import type { EncodedResource } from '../wire/resource.js';
import type { ResourceSource } from '../xds/source.js';
import { entryMessage } from './api/messages.js';
import type { AuthorisedWatch } from './authorised-watch.js';
import type { Registry } from './registry.js';

const entry = 'spire.api.types.Entry';
export const entryTypeUrl = typeUrlOf(entry);

/**
 * Registration entries as an xDS source: each agent has exactly those that it is authorised for, under their entry IDs. This is
 * how our own agents hear of entries; SPIRE's ask for them (SyncAuthorizedEntries).
 */
export function entrySource(registry: Registry, watch: AuthorisedWatch): ResourceSource<VerifiedPeer> {
  return {
    typeUrl: entryTypeUrl,
    open({ id: agent }, changed) {
      let touched: Set<string> | 'any' = 'any';
      const stop = watch.watch(agent, (what) => {
        if (what === 'any') touched = 'any';
        else if (touched !== 'any') for (const { before, after } of what) touched.add((after ?? before).id);
        changed();
      });
      return {
        resource(id) {
          const found = registry.authorisedEntry(agent, id);
          return found ? resourceOf(found) : 'absent';
        },
        all: () => [...registry.authorisedEntries(agent).values()].map(resourceOf),
        touched() {
          const now = touched;
          touched = new Set();
          return now;
        },
        close: stop,
      };
    },
  };
}

const resources = new WeakMap<Entry, EncodedResource>();

/** One for all agents. */
function resourceOf(content: Entry): EncodedResource {
  const known = resources.get(content) ?? new EntryResource(content);
  resources.set(content, known);
  return known;
}

/** Streams keep the resources that they sent; the bytes of all entries of all agents would be too many to keep. */
class EntryResource implements EncodedResource {
  readonly #content: Entry;
  #version: string | undefined;

  constructor(content: Entry) {
    this.#content = content;
  }

  get name(): string {
    return this.#content.id;
  }

  get version(): string {
    this.#version ??= contentVersion(this.any);
    return this.#version;
  }

  get any(): Uint8Array {
    const known = recent.get(this);
    if (known) return known;
    const bytes = encodeAny(entry, entryMessage(this.#content));
    if (recent.size === 0) setTimeout(() => recent.clear(), recentMs).unref();
    if (recent.size >= maxRecent) recent.clear();
    recent.set(this, bytes);
    return bytes;
  }
}

/** Agents that come at the same time, and the question for an entry's version before, share its encoding. */
const recent = new Map<EntryResource, Uint8Array>();
const recentMs = 10_000;
const maxRecent = 20_000;
