import type { EntryPlan } from '../../registration/plan.js';
import type { GrpcConnection } from '../../transport/grpc-client.js';
import { inBatches } from '../batches.js';
import type { Result } from '../results.js';
import { draftMessage, entryApi } from './message.js';

/**
 * Does what a plan says, in batches. `done` hears of every entry as soon as the server has answered for it, so that what was
 * done is known whatever happens then.
 */
export async function carryOut(
  server: GrpcConnection,
  { create, update, surplus }: EntryPlan,
  { prune, tell, done }: { prune: boolean; tell: (howFar: string) => void; done: (result: Result) => void },
): Promise<void> {
  const inTurn = async <Item>(
    items: readonly Item[],
    { idOf, word, send }: { idOf: (item: Item) => string; word: string; send: Send<Item> },
  ): Promise<void> => {
    const progress = (howFar: string) => tell(`${howFar} ${word}`);
    await inBatches(items, progress, async (batch) => {
      const { results = [] } = await send(batch);
      for (const [at, item] of batch.entries()) done({ id: idOf(item), status: results[at]?.status });
      return results;
    });
  };
  await inTurn(update, {
    idOf: ({ present }) => present.id,
    word: 'updated',
    send: (batch) => {
      const entries = batch.map(({ present, wanted }) => draftMessage({ ...wanted, id: present.id }));
      return server.unary(entryApi.BatchUpdateEntry, { entries, output_mask: {} });
    },
  });
  await inTurn(create, {
    idOf: ({ id }) => id,
    word: 'created',
    send: (batch) =>
      server.unary(entryApi.BatchCreateEntry, { entries: batch.map(draftMessage), output_mask: {} }),
  });
  await inTurn(prune ? surplus : [], {
    idOf: ({ id }) => id,
    word: 'deleted',
    send: (batch) => server.unary(entryApi.BatchDeleteEntry, { ids: batch.map(({ id }) => id) }),
  });
}

type Send<Item> = (batch: readonly Item[]) => Promise<{ results?: readonly { status?: Result['status'] }[] }>;
