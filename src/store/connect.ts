import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { Connection } from './connection.js';
import { openLibsql } from './libsql/connection.js';
import { openPostgres } from './postgres/connection.js';
import type { DatabaseSource } from './postgres/target.js';

export interface StoreOptions {
  /** The folder of the database file; made, 0700, when it is not there. */
  dataDir: string;
  /** A PostgreSQL database in the place of the file. */
  database?: DatabaseSource;
  trustDomain: TrustDomain;
  clock: Clock;
}

/** Opens the database, brings it to the schema of this program, and checks whose it is. Throws STO0xxx. */
export function connectStore({
  dataDir,
  database,
  trustDomain,
}: Omit<StoreOptions, 'clock'>): Promise<Connection> {
  if (database) return openPostgres({ source: database, env: process.env, trustDomain });
  return openLibsql({ path: join(dataDir, databaseName), trustDomain });
}

/** Of the file in the data directory. */
export const databaseName = 'server.db';
