import { fault } from '../../base/faults/fault.js';

/** The most that one answer lists, and the most that one request may name (S34). */
export const maxPage = 1000;

export interface PageRequest {
  readonly page_size?: number | undefined;
  readonly page_token?: string | undefined;
}

/**
 * One page of `items`, in the order of their keys. The token is the key of the last one, so a list that changes in between
 * neither repeats nor skips what stays. Throws SRV0203.
 */
export function pageOf<Item>(
  items: Iterable<Item>,
  keyOf: (item: Item) => string,
  { page_size = 0, page_token = '' }: PageRequest,
): { items: Item[]; next_page_token: string } {
  if (page_size < 0) throw fault('SRV0203', { size: page_size });
  const size = page_size === 0 ? maxPage : Math.min(page_size, maxPage);
  const rest = [...items].filter((item) => keyOf(item) > page_token);
  rest.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const page = rest.slice(0, size);
  const last = page.at(-1);
  return { items: page, next_page_token: rest.length > size && last !== undefined ? keyOf(last) : '' };
}

/** Throws SRV0202 for a batch that is too large, before anything of it is looked at. */
export function checkBatch<Member>(members: readonly Member[] | undefined): readonly Member[] {
  if (members && members.length > maxPage) throw fault('SRV0202', { count: members.length, max: maxPage });
  return members ?? [];
}
