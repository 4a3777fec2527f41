import { fault } from '../base/faults/fault.js';
import type { Log } from '../telemetry/log.js';
import type { MessageIn, MessageOut } from '../wire/names.js';
import { readEntry } from './server-messages.js';
import { type AgentEntry, byPrecedence } from './snapshot.js';

type Request = MessageIn<'spire.api.server.entry.v1.SyncAuthorizedEntriesRequest'>;
type Response = MessageOut<'spire.api.server.entry.v1.SyncAuthorizedEntriesResponse'>;

/** One SyncAuthorizedEntries stream. */
export interface EntryExchange {
  send(request: Request): void;
  /** The next message of the server; rejects when the stream ends first. */
  receive(): Promise<Response>;
}

/** What an agent needs of an entry; the server need not send the rest (SPIRE leaves out the same fields). */
const outputMask = {
  spiffe_id: true,
  selectors: true,
  federates_with: true,
  revision_number: true,
  store_svid: true,
  hint: true,
  created_at: true,
};

/**
 * Fetches the entries that this agent is authorised for, in their order of precedence, over one stream of SPIRE's protocol: a small set
 * comes whole in the first answer; of a large one only revisions come, and full entries are asked for where they are new or
 * changed. An entry that did not change is the very object of `known`. An entry that cannot be read is logged and left out.
 * Throws AGT0501 when the server breaks the protocol.
 */
export async function syncEntries(
  exchange: EntryExchange,
  known: readonly AgentEntry[],
  log: Log,
): Promise<AgentEntry[]> {
  const before = new Map(known.map((entry) => [entry.id, entry]));
  exchange.send({ output_mask: outputMask });
  const first = await exchange.receive();
  const entries = first.entry_revisions?.length
    ? await fetchChanged(exchange, before, first, log)
    : readEntries(first, log).map((entry) => unchanged(before, entry) ?? entry);
  return entries.sort(byPrecedence);
}

async function fetchChanged(
  exchange: EntryExchange,
  before: ReadonlyMap<string, AgentEntry>,
  first: Response,
  log: Log,
): Promise<AgentEntry[]> {
  const kept: AgentEntry[] = [];
  const wanted: string[] = [];
  for await (const page of pages(exchange, first)) {
    if (page.entries?.length) throw fault('AGT0501', { problem: 'it sent an entry among revisions' });
    for (const { id = '', revision_number = '0', created_at = '0' } of page.entry_revisions ?? []) {
      const same = unchanged(before, {
        id,
        revision: Number(revision_number),
        createdAt: Number(created_at),
      });
      if (same) kept.push(same);
      else if (id !== '') wanted.push(id);
    }
  }
  const pageSize = first.entry_revisions?.length ?? 1;
  return [...kept, ...(await fetchFull(exchange, wanted.sort(), pageSize, log))];
}

/** The server's page size is that of its first answer; it may still split what was asked for. */
async function fetchFull(
  exchange: EntryExchange,
  ids: readonly string[],
  pageSize: number,
  log: Log,
): Promise<AgentEntry[]> {
  const entries: AgentEntry[] = [];
  for (let from = 0; from < ids.length; from += pageSize) {
    const asked = ids.slice(from, from + pageSize);
    exchange.send({ ids: asked });
    for await (const page of pages(exchange, await exchange.receive())) {
      if (page.entry_revisions?.length)
        throw fault('AGT0501', { problem: 'it sent revisions among entries' });
      entries.push(...readEntries(page, log).filter(({ id }) => asked.includes(id)));
    }
  }
  return entries;
}

async function* pages(exchange: EntryExchange, first: Response): AsyncGenerator<Response> {
  let page = first;
  yield page;
  while (page.more) {
    page = await exchange.receive();
    yield page;
  }
}

function readEntries({ entries = [] }: Response, log: Log): AgentEntry[] {
  return entries.flatMap((message) => readEntry(message.id, () => message, log) ?? []);
}

/** Both must be equal: an entry that was deleted and made again under its old ID starts at the same revision. */
function unchanged(
  before: ReadonlyMap<string, AgentEntry>,
  { id, revision, createdAt }: Pick<AgentEntry, 'id' | 'revision' | 'createdAt'>,
): AgentEntry | undefined {
  const entry = before.get(id);
  return entry?.revision === revision && entry.createdAt === createdAt ? entry : undefined;
}
