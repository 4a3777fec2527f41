import { readFileSync, statSync } from 'node:fs';

/** Names of users and groups by number; `undefined` for a number without a name. */
export interface AccountNames {
  user(uid: number): string | undefined;
  group(gid: number): string | undefined;
}

/**
 * From the local account files (passwd(5), group(5)), read again when they change. Accounts that live elsewhere (LDAP) have
 * no name here, and so no `unix:user` selector: their entries use `unix:uid`.
 */
export function accountNames(files = { passwd: '/etc/passwd', group: '/etc/group' }): AccountNames {
  const users = nameTable(files.passwd);
  const groups = nameTable(files.group);
  return { user: (uid) => users().get(uid), group: (gid) => groups().get(gid) };
}

function nameTable(path: string): () => ReadonlyMap<number, string> {
  let table = new Map<number, string>();
  let seen: string | undefined;
  return () => {
    const version = versionOf(path);
    if (version !== seen) {
      table = version === undefined ? new Map() : parse(readFileSync(path, 'utf8'));
      seen = version;
    }
    return table;
  };
}

function versionOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && [stats.dev, stats.ino, stats.size, stats.mtimeNs].join(':');
}

/** `name:password:number:…`; of two names for one number the first counts, as for getpwuid(3). */
function parse(text: string): Map<number, string> {
  const table = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':');
    if (!name || name.startsWith('#') || !/^\d+$/.test(number ?? '')) continue;
    if (!table.has(Number(number))) table.set(Number(number), name);
  }
  return table;
}
