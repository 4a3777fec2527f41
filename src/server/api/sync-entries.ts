import { fault } from '../../base/faults/fault.js';
import type { Entry } from '../../registration/entry.js';
import type { StreamCall } from '../../transport/service.js';
import type { MessageIn, MessageOut } from '../../wire/names.js';
import { type EntryMask, entryMessage } from './messages.js';
import { checkBatch } from './paging.js';

type Request = MessageOut<'spire.api.server.entry.v1.SyncAuthorizedEntriesRequest'>;
type Response = MessageIn<'spire.api.server.entry.v1.SyncAuthorizedEntriesResponse'>;

/** As in SPIRE: up to so many entries come whole, of more only revisions, and agents ask for what is new to them. */
export const syncPageSize = 500;

/** Looked up one by one, they cost no more than these. */
type AuthorisedEntries = Pick<ReadonlyMap<string, Entry>, 'get' | 'values'>;

/**
 * One SyncAuthorizedEntries stream, until the agent closes it. `authorised` is asked for every request, since entries, and
 * whether the agent may have any, change while the stream is open. Throws SRV0202, SRV0205.
 */
export async function syncAuthorizedEntries(
  call: Pick<StreamCall<Request, Response>, 'requests' | 'send'>,
  authorised: () => Promise<AuthorisedEntries>,
): Promise<void> {
  let mask: EntryMask | undefined | null;
  let isFirst = true;
  for await (const { ids = [], output_mask } of call.requests) {
    const entries = await authorised();
    if (!isFirst) {
      await sendEntries(call, requested(ids, entries), mask);
      continue;
    }
    isFirst = false;
    mask = checkedFirst(ids, output_mask);
    const all = [...entries.values()];
    if (all.length > syncPageSize) await sendRevisions(call, all);
    else await sendEntries(call, all, mask);
  }
}

function checkedFirst(
  ids: readonly string[],
  mask: EntryMask | undefined | null,
): EntryMask | undefined | null {
  if (ids.length > 0) throw fault('SRV0205', { problem: 'it asks for IDs before it was told any' });
  if (mask && !mask.revision_number)
    throw fault('SRV0205', { problem: 'its mask leaves out revision_number' });
  return mask;
}

/** In the order of their IDs; what the agent is not authorised for is passed over, as if it did not exist (S5). */
function requested(ids: readonly string[], entries: AuthorisedEntries): Entry[] {
  const sorted = [...new Set(checkBatch(ids))].sort();
  return sorted.flatMap((id) => entries.get(id) ?? []);
}

async function sendEntries(
  call: Pick<StreamCall<Request, Response>, 'send'>,
  entries: readonly Entry[],
  mask: EntryMask | undefined | null,
): Promise<void> {
  for (const { page, more } of pages(entries)) {
    await call.send({ entries: page.map((entry) => entryMessage(entry, mask)), more });
  }
}

async function sendRevisions(
  call: Pick<StreamCall<Request, Response>, 'send'>,
  entries: readonly Entry[],
): Promise<void> {
  for (const { page, more } of pages(entries)) {
    const revisions = page.map(({ id, revision, createdAt }) => ({
      id,
      revision_number: revision,
      created_at: createdAt,
    }));
    await call.send({ entry_revisions: revisions, more });
  }
}

/** At least one page, an empty one if need be: every request is answered. */
function* pages(entries: readonly Entry[]): Generator<{ page: readonly Entry[]; more: boolean }> {
  let from = 0;
  do {
    const to = from + syncPageSize;
    yield { page: entries.slice(from, to), more: to < entries.length };
    from = to;
  } while (from < entries.length);
}
