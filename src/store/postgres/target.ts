import { readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fault } from '../../base/faults/fault.js';
import { passwordIn } from './passfile.js';
import { readSecretFile, requireSecretFile } from './secret-file.js';
import { serviceIn } from './service-file.js';
import { type ConnectionParams, parseDatabaseUrl } from './url.js';

/** Where the URL of the database is: what everybody may see, or in a file that may also hold the password. */
export type DatabaseSource = { readonly url: string } | { readonly urlFile: string };

/** All that it takes to connect. */
export interface Target {
  /** A name, an address, or the folder of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  readonly tls?: TlsOptions;
  readonly options?: string;
  readonly applicationName: string;
  /** For messages: the URL without anything secret. */
  readonly place: string;
}

/** As `tls.connect` takes them. */
export interface TlsOptions {
  readonly minVersion: 'TLSv1.2';
  readonly rejectUnauthorized: true;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** There when the name is not to be compared. */
  readonly checkServerIdentity?: () => undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads everything anew, so that a password or certificate that was changed counts from the next connection on.
 * Throws STO030x.
 */
export function readTarget(source: DatabaseSource, env: Environment): Target {
  const given = parseDatabaseUrl('url' in source ? source.url : requireSecretFile(source.urlFile).trim());
  if ('url' in source && given.password !== undefined) throw fault('STO0302', {});
  const params = { ...serviceParams(given.service ?? env.PGSERVICE, env), ...given };
  const user = params.user ?? userInfo().username;
  const { host = '/var/run/postgresql', port = '5432', dbname = user } = params;
  if (host.includes(',')) throw fault('STO0301', { problem: 'several hosts are not supported' });
  const place = placeOf(host, port, dbname);
  const tls = tlsOptions(params, host, place);
  const password = params.password ?? passwordFromFile(params, env, { host, port, dbname, user });
  return {
    host,
    port: Number(port),
    database: dbname,
    user,
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
    ...(params.options !== undefined && { options: params.options }),
    applicationName: params.application_name ?? 'plastron',
    place,
  };
}

function serviceParams(service: string | undefined, env: Environment): ConnectionParams {
  if (service === undefined) return {};
  const path = env.PGSERVICEFILE ?? join(homeOf(env), '.pg_service.conf');
  const found = serviceIn(requireSecretFile(path), service);
  if (!found) throw fault('STO0304', { path, problem: `it has no service [${service}]` });
  if (found.unknown !== undefined) {
    throw fault('STO0304', { path, problem: `the key ${found.unknown} of [${service}] is not known` });
  }
  return found.params;
}

function passwordFromFile(
  { passfile }: ConnectionParams,
  env: Environment,
  { host, ...rest }: { host: string; port: string; dbname: string; user: string },
): string | undefined {
  const named = passfile ?? env.PGPASSFILE;
  const text = named === undefined ? readSecretFile(join(homeOf(env), '.pgpass')) : requireSecretFile(named);
  return text === undefined
    ? undefined
    : passwordIn(text, { host: host.startsWith('/') ? 'localhost' : host, ...rest });
}

/** Without verified TLS only to a database on this machine: whoever is in between would read and write everything. */
function tlsOptions(params: ConnectionParams, host: string, place: string): TlsOptions | undefined {
  const isLocal = host.startsWith('/') || loopback.test(host);
  const mode = params.sslmode ?? (isLocal ? 'disable' : 'verify-full');
  if (mode === 'disable' && isLocal) return undefined;
  if ((mode !== 'verify-full' && mode !== 'verify-ca') || host.startsWith('/')) {
    throw fault('STO0305', { mode, place });
  }
  const { sslrootcert, sslcert, sslkey } = params;
  if (mode === 'verify-ca' && sslrootcert === undefined) throw fault('STO0306', { place });
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(sslrootcert !== undefined && { ca: readPem(sslrootcert) }),
    ...(sslcert !== undefined && { cert: readPem(sslcert) }),
    ...(sslkey !== undefined && { key: requireSecretFile(sslkey) }),
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fault('STO0304', { path, problem: (error as NodeJS.ErrnoException).code ?? 'unreadable' });
  }
}

const homeOf = (env: Environment) => env.HOME ?? homedir();

function placeOf(host: string, port: string, dbname: string): string {
  return host.startsWith('/')
    ? `postgres:///${dbname}?host=${host}&port=${port}`
    : `postgres://${host.includes(':') ? `[${host}]` : host}:${port}/${dbname}`;
}
