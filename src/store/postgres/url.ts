import { fault } from '../../base/faults/fault.js';

/** What a URL says, by the names that PostgreSQL's own programs use for it; a service file says the same things. */
export type ConnectionParams = Readonly<Partial<Record<ParamName, string>>>;

const paramNames = [
  'host',
  'port',
  'dbname',
  'user',
  'password',
  'passfile',
  'service',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'options',
  'application_name',
] as const;

export type ParamName = (typeof paramNames)[number];

export const isParamName = (name: string): name is ParamName =>
  (paramNames as readonly string[]).includes(name);

/**
 * Reads `postgres://user@host:port/database?param=value`, the form that PostgreSQL's own programs take
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS). Throws STO0301, whose text never has
 * the URL's password.
 */
export function parseDatabaseUrl(url: string): ConnectionParams {
  const match = urlForm.exec(url);
  if (!match) throw refused('write postgres://USER@HOST:PORT/DATABASE');
  const [, user, password, host, port, dbname, query = ''] = match;
  const params: Partial<Record<ParamName, string>> = {};
  const put = (name: ParamName, value: string | undefined) => {
    if (value !== undefined && value !== '') params[name] = decoded(value, name);
  };
  put('user', user);
  put('password', password);
  put('host', host?.replace(/^\[(.*)\]$/, '$1'));
  put('port', port);
  put('dbname', dbname);
  for (const pair of query === '' ? [] : query.split('&')) {
    const [name = '', ...value] = pair.split('=');
    if (!isParamName(name)) throw refused(`the parameter \`${name}\` is not known`);
    put(name, value.join('='));
  }
  return params;
}

const urlForm =
  /^postgres(?:ql)?:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?(\[[^\]/?#@]*\]|[^:/?#@[\]]*)(?::(\d+))?(?:\/([^?#]*))?(?:\?([^#]*))?$/;

function decoded(value: string, name: ParamName): string {
  try {
    const text = decodeURIComponent(value);
    if (!/\p{Cc}/u.test(text)) return text;
  } catch {
    // said below
  }
  throw refused(`its ${name} is not written in UTF-8 and percent signs`);
}

const refused = (problem: string) => fault('STO0301', { problem });
