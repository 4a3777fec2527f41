import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../base/faults/fault.js';
import { checkEntry } from '../../registration/check-entry.js';
import type { Entry } from '../../registration/entry.js';
import { parseTrustDomain } from '../../spiffe/id.js';
import type { MessageIn, MessageOut } from '../../wire/names.js';
import { syncAuthorizedEntries, syncPageSize } from './sync-entries.js';

type Request = MessageOut<'spire.api.server.entry.v1.SyncAuthorizedEntriesRequest'>;
type Response = MessageIn<'spire.api.server.entry.v1.SyncAuthorizedEntriesResponse'>;

function entries(count: number): Map<string, Entry> {
  const numbered = Array.from({ length: count }, (_, i) => {
    const id = `e${String(i).padStart(5, '0')}`;
    const content = checkEntry(
      {
        spiffeId: `spiffe://shop.example/${id}`,
        parentId: 'spiffe://shop.example/node/demo',
        selectors: [{ type: 'unix', value: `uid:${i}` }],
      },
      parseTrustDomain('shop.example'),
    );
    return [id, { ...content, id, createdAt: 1, revision: i + 1 }] as const;
  });
  return new Map(numbered);
}

async function exchange(authorised: Map<string, Entry>, ...requests: Request[]): Promise<Response[]> {
  const sent: Response[] = [];
  const call = {
    requests: (async function* () {
      yield* requests;
    })(),
    send: async (response: Response | Uint8Array) => {
      assert.ok(!(response instanceof Uint8Array));
      sent.push(response);
    },
  };
  await syncAuthorizedEntries(call, async () => authorised);
  return sent;
}

const first: Request = { output_mask: { revision_number: true, spiffe_id: true } };

test('a page or less comes whole in one answer, an empty set too', async () => {
  for (const count of [0, 1, syncPageSize]) {
    const [answer, ...others] = await exchange(entries(count), first);
    assert.equal(answer?.entries?.length, count);
    assert.equal(answer?.more, false);
    assert.equal(answer?.entry_revisions, undefined);
    assert.deepEqual(others, []);
  }
});

test('the mask of the first request is that of every answer; the ID is always there', async () => {
  const [answer] = await exchange(entries(1), first);
  assert.deepEqual(answer?.entries, [
    { id: 'e00000', spiffe_id: { trust_domain: 'shop.example', path: '/e00000' }, revision_number: 1 },
  ]);
});

test('more than a page comes as revisions, page by page, and then what is asked for', async () => {
  const count = 2 * syncPageSize + 1;
  const wanted = ['e00700', 'e00001', 'nothing', 'e00001'];
  const answers = await exchange(entries(count), first, { ids: wanted }, { ids: ['nothing'] });
  assert.deepEqual(
    answers.map(({ entry_revisions, entries: full, more }) => [entry_revisions?.length, full?.length, more]),
    [
      [syncPageSize, undefined, true],
      [syncPageSize, undefined, true],
      [1, undefined, false],
      [undefined, 2, false],
      [undefined, 0, false],
    ],
  );
  assert.deepEqual(answers[0]?.entry_revisions?.[1], { id: 'e00001', revision_number: 2, created_at: 1 });
  assert.deepEqual(
    answers[3]?.entries?.map(({ id }) => id),
    ['e00001', 'e00700'],
  );
});

test('whoever asks for more IDs than a page holds gets them in pages; far too many are refused (S34)', async () => {
  const all = entries(syncPageSize + 1);
  const [, , page, rest] = await exchange(all, first, { ids: [...all.keys()] });
  assert.deepEqual([page?.entries?.length, page?.more], [syncPageSize, true]);
  assert.deepEqual([rest?.entries?.length, rest?.more], [1, false]);
  const tooMany = Array.from({ length: 1001 }, (_, i) => `x${i}`);
  await assert.rejects(exchange(all, first, { ids: tooMany }), (error) => isFault(error, 'SRV0202'));
});

test('a stream that does not begin as it must is refused', async () => {
  const refused = (error: unknown) => isFault(error, 'SRV0205');
  await assert.rejects(exchange(entries(1), { ids: ['e00000'] }), refused);
  await assert.rejects(exchange(entries(1), { output_mask: { spiffe_id: true } }), refused);
});

test('whether the agent may have anything is asked for every request (S12)', async () => {
  let asked = 0;
  const call = {
    requests: (async function* () {
      yield first;
      yield { ids: ['e00000'] };
    })(),
    send: async () => {},
  };
  await assert.rejects(
    syncAuthorizedEntries(call, async () => {
      if (++asked === 2) throw new Error('banned');
      return entries(1);
    }),
    /banned/,
  );
});
