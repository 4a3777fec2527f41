import { writeSync } from 'node:fs';
import { systemClock } from '../../src/base/clock.js';
import { parseTrustDomain } from '../../src/spiffe/id.js';
import { openStore } from '../../src/store/store.js';
import { entryContent } from './store-contents.js';

// A process that writes entries into the store in DATA_DIR as fast as it can, eight at a time, and prints the ID of each
// once it is acknowledged, until somebody kills it. IDs start with PREFIX.
const [dataDir = '', prefix = ''] = process.argv.slice(2);
const trustDomain = parseTrustDomain('shop.example');
const store = await openStore({ dataDir, trustDomain, clock: systemClock });
let last = 0;

async function write(): Promise<never> {
  for (;;) {
    const id = `${prefix}-${++last}`;
    const content = entryContent(`/${id}`, `unix:uid:${last}`);
    const [outcome] = await store.createEntries([{ ...content, id }]);
    if (outcome?.kind !== 'written') throw new Error(`${id} was not written`);
    writeSync(1, `${id}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, write));
