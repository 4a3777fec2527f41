import type { BackupContents } from '../app/restore.js';
import type { Lasting } from '../ca/rotation.js';
import { instant, timeAndDistance } from './times.js';
import { factLines } from './voice.js';

/** What is in a backup, for programs; no keys. */
export function backupFields({ header, size, authorities, counts }: BackupContents) {
  const { trustDomain, createdAt, database } = header;
  return {
    trustDomain,
    createdAt: instant(createdAt / 1000),
    size,
    database: database ? { schemaVersion: database.schemaVersion } : null,
    contents: counts ?? null,
    x509Authorities: authorities.x509.map(authorityFields),
    jwtAuthorities: authorities.jwt.map(authorityFields),
  };
}

function authorityFields({ notBefore, notAfter, key }: Lasting) {
  return {
    notBefore: instant(notBefore / 1000),
    expiresAt: instant(notAfter / 1000),
    hasKey: isInBackup(key),
  };
}

const isInBackup = ({ kind }: Lasting['key']): boolean => kind === 'local';

/** The same for people. */
export function backupLines({ header, size, authorities, counts }: BackupContents): string[] {
  const now = Date.now();
  const authority = ({ notAfter, key }: Lasting) =>
    `ends ${timeAndDistance(notAfter / 1000, now)}, its key is ${isInBackup(key) ? '' : 'NOT '}in the backup`;
  return factLines([
    ['trust domain', header.trustDomain],
    ['made', timeAndDistance(header.createdAt / 1000, now)],
    ['size', `${size} bytes`],
    ['database', header.database ? `version ${header.database.schemaVersion}` : notHere],
    ['entries', counts ? String(counts.entries) : ''],
    ['nodes', counts ? `${counts.agents}, ${counts.bannedAgents} of them banned` : ''],
    ['federated bundles', counts ? String(counts.federatedBundles) : ''],
    ['join tokens', counts ? `${counts.joinTokens}, which end with a restore` : ''],
    ['X.509 authorities', authorities.x509.map(authority)],
    ['JWT authorities', authorities.jwt.map(authority)],
  ]).map((line) => `  ${line}`);
}

const notHere = 'not in it: PostgreSQL is backed up by its own tools';
