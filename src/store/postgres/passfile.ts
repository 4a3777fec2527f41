/** Whose password is looked for. `host` is `localhost` for a unix socket, as in PostgreSQL's own programs. */
export interface PasswordFor {
  readonly host: string;
  readonly port: string;
  readonly dbname: string;
  readonly user: string;
}

/**
 * Finds a password in the text of a password file: lines `host:port:database:user:password`, where `*` matches anything and
 * a backslash takes the next character as it is. The first line that matches counts
 * (https://www.postgresql.org/docs/current/libpq-pgpass.html).
 */
export function passwordIn(text: string, { host, port, dbname, user }: PasswordFor): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const [, ...fields] = lineForm.exec(line) ?? [];
    const wanted = [host, port, dbname, user];
    if (
      fields.length > 0 &&
      wanted.every((value, i) => fields[i] === '*' || unescaped(fields[i]) === value)
    ) {
      return unescaped(fields[4]);
    }
  }
  return undefined;
}

// Fields stay escaped, so that `\*` is not taken for `*`. A password may have colons that nobody escaped.
const field = String.raw`((?:\\.|[^:\\])*):`;
const lineForm = new RegExp(`^${field.repeat(4)}(.*)$`, 's');

const unescaped = (escaped = '') => escaped.replace(/\\(.)/gs, '$1');
