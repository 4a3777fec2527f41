import { fault } from '../../base/faults/fault.js';

/** The most that one answer lists, and the most that one request may name (S34). */
export const maxPage = 1000;

export interface PageRequest {
  readonly page_size?: number | undefined;
  readonly page_token?: string | undefined;
}

export interface PageSource<Item> {
  /** Everything after the item with this key, in the order of keys. */
  after(key: string): Iterable<Item>;
  keyOf(item: Item): string;
  /** What is listed; the rest is passed over. */
  matches?(item: Item): boolean;
}

/**
 * One page of a list in the order of its keys. The token names the last item of the page before, so a list that changes in
 * between neither repeats nor skips what stays. Throws SRV0203, SRV0206.
 */
export function pageOf<Item>(
  { after, keyOf, matches = () => true }: PageSource<Item>,
  { page_size = 0, page_token = '' }: PageRequest,
): { items: Item[]; next_page_token: string } {
  if (page_size < 0) throw fault('SRV0203', { size: page_size });
  const size = page_size === 0 ? maxPage : Math.min(page_size, maxPage);
  const items: Item[] = [];
  for (const item of after(page_token === '' ? '' : keyIn(page_token))) {
    if (!matches(item)) continue;
    const last = items.at(-1);
    if (items.length === size && last !== undefined) return { items, next_page_token: tokenOf(keyOf(last)) };
    items.push(item);
  }
  return { items, next_page_token: '' };
}

/** Throws SRV0202 for a batch that is too large, before anything of it is looked at. */
export function checkBatch<Member>(members: readonly Member[] | undefined): readonly Member[] {
  if (members && members.length > maxPage) throw fault('SRV0202', { count: members.length, max: maxPage });
  return members ?? [];
}

/** Nobody is to build on what is in a token, so it does not look like anything. */
function tokenOf(key: string): string {
  return Buffer.from(`${tokenMark}${key}`).toString('base64url');
}

function keyIn(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  const key = text.slice(tokenMark.length);
  if (key === '' || tokenOf(key) !== token) throw fault('SRV0206', {});
  return key;
}

/** Of this way to write tokens. */
const tokenMark = '1:';
