/** Everything that a call lists page by page, in the order in which it comes. `tell` hears how much there is so far. */
export async function everyPage<Item>(
  fetch: (page: { page_size: number; page_token: string }) => Promise<Page<Item>>,
  tell?: (count: number) => void,
): Promise<Item[]> {
  const found: Item[] = [];
  let page_token = '';
  do {
    const page = await fetch({ page_size: pageSize, page_token });
    found.push(...page.items);
    tell?.(found.length);
    page_token = page.next ?? '';
  } while (page_token !== '');
  return found;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** The token of the next page; nothing, or empty, after the last. */
  readonly next: string | undefined;
}

const pageSize = 500;
