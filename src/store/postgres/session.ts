import { Client, type QueryConfig, type QueryResult } from 'pg';
import { fault } from '../../base/faults/fault.js';
import { guarded } from '../bind-guard.js';
import type { Row, Statement } from '../unit.js';
import { forPostgres } from './dialect.js';
import { ConnectionLost, connectFault, sqlState } from './postgres-fault.js';
import type { Target } from './target.js';
import { typeParsers } from './types.js';

/**
 * One connection to a PostgreSQL server, for one statement at a time. Throws what the server says, or `ConnectionLost`, and
 * then it is closed.
 */
export interface Session {
  all(statement: Statement): Promise<readonly Row[]>;
  /** Statements without arguments, in one round trip; gives the rows of each. */
  script(sql: string): Promise<readonly (readonly Row[])[]>;
  /** Calls `listener` for every notification that arrives; LISTEN is the caller's. */
  onNotification(listener: () => void): void;
  isOpen(): boolean;
  close(): Promise<void>;
}

/** Milliseconds that the server is given to accept a connection. */
const connectLimit = 5000;

/**
 * Milliseconds for one statement. The server itself gives up earlier, so that the answer is an error and not silence, and
 * throws out a writer that stops in the middle, so that the others do not wait for it.
 */
const statementLimit = 6000;

const setUp = `
  set client_encoding = 'UTF8';
  set statement_timeout = ${statementLimit - 2000};
  set lock_timeout = ${statementLimit - 3000};
  set idle_in_transaction_session_timeout = ${statementLimit - 2000};
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`;

/** Connects, as far as TLS and password let it. Throws STO0307, STO0308, STO04xx. */
export async function openSession(target: Target): Promise<Session> {
  const client = new Client({
    host: target.host,
    port: target.port,
    database: target.database,
    user: target.user,
    // Asked for only when the server wants one.
    password: () => passwordOf(target),
    ssl: target.tls ? { ...target.tls } : false,
    ...(target.options !== undefined && { options: target.options }),
    application_name: target.applicationName,
    connectionTimeoutMillis: connectLimit,
    keepAlive: true,
    enableChannelBinding: target.tls !== undefined,
    types: typeParsers,
  });
  const session = sessionOver(client);
  try {
    await client.connect();
    await session.script(setUp);
    return session;
  } catch (error) {
    void client.end();
    throw connectFault(error, { place: target.place, hasTls: target.tls !== undefined });
  }
}

function passwordOf({ password, place }: Target): string {
  if (password !== undefined) return password;
  throw fault('STO0307', { place, problem: 'it wants a password, and none was found' });
}

function sessionOver(client: Client): Session {
  let isOpen = true;
  const lost = () => {
    isOpen = false;
  };
  // Without a listener an error ends the process.
  client.on('error', lost);
  client.on('end', lost);
  const query = async (config: QueryConfig): Promise<QueryResult | QueryResult[]> => {
    const limit = setTimeout(() => void client.end(), statementLimit);
    try {
      return await client.query(config);
    } catch (error) {
      if (sqlState(error) !== undefined) throw error;
      void client.end();
      isOpen = false;
      throw new ConnectionLost((error as Error).message, { cause: error });
    } finally {
      clearTimeout(limit);
    }
  };
  return {
    all: async (statement) => {
      const result = await query(configOf(statement));
      return rowsOf(Array.isArray(result) ? result[0] : result);
    },
    script: async (sql) => {
      const result = await query({ text: sql });
      return (Array.isArray(result) ? result : [result]).map(rowsOf);
    },
    onNotification: (listener) => void client.on('notification', listener),
    isOpen: () => isOpen,
    close: async () => {
      isOpen = false;
      await client.end();
    },
  };
}

function configOf(statement: Statement): QueryConfig {
  const text = forPostgres(statement[0]);
  const values = guarded(statement).map((value) => (value === null ? null : String(value)));
  return { text, values };
}

/** Rows are checked by the type parsers. */
const rowsOf = (result: QueryResult | undefined) => (result?.rows ?? []) as Row[];
