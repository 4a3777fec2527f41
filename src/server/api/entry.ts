import { randomUUID } from 'node:crypto';
import { fault } from '../../base/faults/fault.js';
import type { Entry } from '../../registration/entry.js';
import type { Service } from '../../transport/service.js';
import type { MessageIn, MessageOut } from '../../wire/names.js';
import type { Caller } from '../authorise.js';
import { guardedService } from '../guarded-service.js';
import type { EntryOutcome } from '../ports.js';
import { runBatch } from './batch.js';
import { type ApiContext, actorOf, agentOf } from './context.js';
import { entryFilter } from './entry-filter.js';
import { entryChange, entryDraft } from './entry-input.js';
import { type EntryMessage, entryMessage, okStatus, statusMessage } from './messages.js';
import { checkBatch, pageOf } from './paging.js';
import { required } from './required.js';
import { syncAuthorizedEntries } from './sync-entries.js';

type Messages = {
  [Name in
    | 'BatchCreateEntry'
    | 'BatchUpdateEntry'
    | 'BatchDeleteEntry'
    | 'ListEntries'
    | 'GetEntry'
    | 'CountEntries']: MessageOut<`spire.api.server.entry.v1.${Name}Request`>;
};
type Status = MessageIn<'spire.api.types.Status'>;

interface EntryResult {
  status: Status;
  entry?: EntryMessage;
}

/** `spire.api.server.entry.v1.Entry`: registration entries, for operators to keep and for agents to fetch. */
export function entryService(context: ApiContext): Service {
  const { authoriser, registry } = context;
  return guardedService('spire.api.server.entry.v1.Entry', authoriser, {
    ...readMethods(context),
    ...writeMethods(context),
    GetAuthorizedEntries: {
      unary: async ({ output_mask }, caller) => {
        const entries = [...registry.authorisedEntries(agentOf(caller).id).values()];
        return { entries: entries.map((entry) => entryMessage(entry, output_mask)) };
      },
    },
    SyncAuthorizedEntries: {
      stream: (call) =>
        syncAuthorizedEntries(call, async () => {
          const { id } = agentOf(await call.authoriseAgain());
          return {
            get: (entryId) => registry.authorisedEntry(id, entryId),
            values: () => registry.authorisedEntries(id).values(),
          };
        }),
    },
  });
}

function readMethods({ registry, trustDomain }: ApiContext) {
  return {
    CountEntries: {
      unary: async ({ filter }: Messages['CountEntries']) => ({
        count: [...registry.entries()].filter(entryFilter(filter, trustDomain)).length,
      }),
    },
    ListEntries: {
      unary: async (request: Messages['ListEntries']) => {
        const source = {
          after: registry.entriesAfter,
          keyOf: ({ id }: Entry) => id,
          matches: entryFilter(request.filter, trustDomain),
        };
        const { items, next_page_token } = pageOf(source, request);
        return { entries: items.map((entry) => entryMessage(entry, request.output_mask)), next_page_token };
      },
    },
    GetEntry: {
      unary: async ({ id = '', output_mask }: Messages['GetEntry']) => {
        const entry = registry.entry(required(id, 'id'));
        if (!entry) throw fault('SRV0301', { id });
        return entryMessage(entry, output_mask);
      },
    },
  };
}

function writeMethods(context: ApiContext) {
  const { registry, trustDomain, log } = context;
  const written = (
    outcome: EntryOutcome | undefined,
    id: string,
    mask: Messages['GetEntry']['output_mask'],
  ): EntryResult => {
    if (!outcome || outcome.kind === 'missing') throw fault('SRV0301', { id });
    if (outcome.kind === 'no bundle') throw fault('SRV0304', { trustDomain: outcome.trustDomain });
    if (outcome.kind === 'written') return { status: okStatus, entry: entryMessage(outcome.entry, mask) };
    const status = statusMessage(fault('SRV0302', { id: outcome.entry.id }), log);
    return { status, entry: entryMessage(outcome.entry, mask) };
  };
  return {
    BatchCreateEntry: {
      unary: async ({ entries, output_mask }: Messages['BatchCreateEntry'], caller: Caller) => {
        const results = await runBatch(checkBatch(entries), log, {
          prepare: (message) => {
            const draft = entryDraft(message, trustDomain);
            return { ...draft, id: draft.id ?? randomUUID() };
          },
          write: (drafts) => registry.createEntries(drafts),
          answer: (outcome, { id }) => written(outcome, id, output_mask),
        });
        logWrites(context, results, caller, 'entries were created');
        return { results };
      },
    },
    BatchUpdateEntry: {
      unary: async ({ entries, input_mask, output_mask }: Messages['BatchUpdateEntry'], caller: Caller) => {
        const results = await runBatch(checkBatch(entries), log, {
          prepare: (message) => {
            const { id = '' } = message;
            const present = registry.entry(required(id, 'id'));
            if (!present) throw fault('SRV0301', { id });
            return { id, change: entryChange(message, input_mask, present, trustDomain) };
          },
          write: (changes) => registry.updateEntries(changes),
          answer: (outcome, { id }) => {
            const result = written(outcome, id, output_mask);
            // SPIRE's API gives the entry only when it was updated.
            return outcome?.kind === 'written' ? result : { status: result.status };
          },
        });
        logWrites(context, results, caller, 'entries were updated');
        return { results };
      },
    },
    BatchDeleteEntry: {
      unary: async ({ ids }: Messages['BatchDeleteEntry'], caller: Caller) => {
        const batchIds = checkBatch(ids);
        const results = await runBatch(batchIds, log, {
          prepare: (id) => required(id, 'id'),
          write: (wanted) => registry.deleteEntries(wanted),
          answer: (deleted, id) => {
            if (!deleted) throw fault('SRV0301', { id });
            return { status: okStatus };
          },
        });
        const gone = batchIds.filter((_, index) => results[index]?.status === okStatus);
        if (gone.length > 0) log.info({ entries: gone, by: actorOf(caller) }, 'entries were deleted');
        return { results: results.map((result, index) => ({ ...result, id: batchIds[index] ?? '' })) };
      },
    },
  };
}

function logWrites(
  { log }: ApiContext,
  results: readonly EntryResult[],
  caller: Caller,
  sentence: string,
): void {
  const entries = results.flatMap(({ status, entry }) => (status === okStatus ? [entry?.id] : []));
  if (entries.length > 0) log.info({ entries, by: actorOf(caller) }, sentence);
}
