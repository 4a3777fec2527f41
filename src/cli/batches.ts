/** Hands items on, as many at once as one request may name, and gives the results in order. `tell` hears how far it is. */
export async function inBatches<Item, Result>(
  items: readonly Item[],
  tell: (howFar: string) => void,
  send: (batch: readonly Item[]) => Promise<readonly Result[]>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += batchSize) {
    tell(`${from} of ${items.length}`);
    results.push(...(await send(items.slice(from, from + batchSize))));
  }
  return results;
}

const batchSize = 500;
