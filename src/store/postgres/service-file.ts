import { type ConnectionParams, isParamName, type ParamName } from './url.js';

/**
 * The parameters of one service in the text of a connection service file: sections `[name]` with lines `key=value`
 * (https://www.postgresql.org/docs/current/libpq-pgservice.html). Gives `undefined` when there is no such section, and the
 * first key that is not known as `unknown`.
 */
export function serviceIn(
  text: string,
  service: string,
): { params: ConnectionParams; unknown?: string } | undefined {
  let inside = false;
  let seen = false;
  const params: Partial<Record<ParamName, string>> = {};
  for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const section = /^\[(.*)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      inside = section === service && !seen;
      seen ||= inside;
      continue;
    }
    if (!inside) continue;
    const [key = '', ...value] = line.split('=');
    const name = key.trim();
    // A service in a service would be a loop.
    if (!isParamName(name) || name === 'service') return { params, unknown: name };
    params[name] = value.join('=').trim();
  }
  return seen ? { params } : undefined;
}
