import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { parseTrustDomain } from '../../src/spiffe/id.js';
import type { StoreOptions } from '../../src/store/connect.js';
import { openStore } from '../../src/store/store.js';
import { temporaryFolder } from './children.js';
import { postgresMissing, startPostgres } from './postgres.js';

/** One database of the test's own, empty at first. */
export interface StorePlace {
  /** Opens a store on it, as a server that starts; closed after the test. `now`: milliseconds since the Unix epoch. */
  open(now?: number): ReturnType<typeof openStore>;
  readonly where: Where;
}

type Where = Pick<StoreOptions, 'dataDir' | 'database'>;

const missing = postgresMissing();
const postgres = missing ? undefined : await startPostgres({ after });
const trustDomain = parseTrustDomain('shop.example');

/** What holds on every store: registers the test once for each, on an empty database. */
export function everyStore(title: string, check: (place: StorePlace, t: TestContext) => Promise<void>): void {
  test(`libsql: ${title}`, (t) => {
    const dataDir = join(temporaryFolder(t), 'data');
    return check({ open: (now) => open(t, { dataDir }, now), where: { dataDir } }, t);
  });
  test(`PostgreSQL: ${title}`, { skip: missing }, async (t) => {
    if (!postgres) throw new Error('skipped');
    // Sorted by the rules of a language unless a column says otherwise.
    const url = await postgres.newDatabase(
      `template template0 locale_provider icu icu_locale 'en' locale 'C'`,
    );
    const where = { dataDir: '', database: { url } };
    return check({ open: (now) => open(t, where, now), where }, t);
  });
}

async function open(t: TestContext, where: Where, now = 1_700_000_000_000) {
  const store = await openStore({ ...where, trustDomain, clock: { now: () => now } });
  t.after(() => store.close());
  return store;
}
