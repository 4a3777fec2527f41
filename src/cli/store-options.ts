import { resolve } from 'node:path';
import type { ServerSettings } from '../app/server.js';
import type { Cli } from './cli.js';

/** Where the database is when it is no file of the data directory: by its URL, or by a file with it. At most one is given. */
export interface StoreOptions {
  store?: string;
  storeFile?: string;
}

export function databaseOf(cli: Cli, { store, storeFile }: StoreOptions): Pick<ServerSettings, 'database'> {
  if (storeFile !== undefined) return { database: { urlFile: resolve(cli.cwd, storeFile) } };
  return store === undefined ? {} : { database: { url: store } };
}
