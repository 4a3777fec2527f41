import { parseTrustDomain, type TrustDomain } from '../../spiffe/id.js';

// A backup is one file:
//
//     plastron-backup 1\n              format version, so that an old program can say that it is too old
//     {"trustDomain": …}\n             the header, JSON on one line
//     the database                     as many bytes as the header says; none when it is backed up by tools of its own
//     authorities.pem                  likewise, with the keys that are on the disk: **secret**
//     SHA-256                          32 bytes, over everything before them

export const formatVersion = 1;
export const digestSize = 32;

/** What stands at the beginning of a backup. */
export interface BackupHeader {
  readonly trustDomain: TrustDomain;
  /** When it was begun: everything that was acknowledged before is in it. Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  /** The database in it; missing when it is in a PostgreSQL database, which has tools of its own for that. */
  readonly database?: { readonly schemaVersion: number; readonly size: number };
  /** Bytes of the authorities. */
  readonly authoritiesSize: number;
}

export function headBytes(header: BackupHeader): Buffer {
  return Buffer.from(`${magic} ${formatVersion}\n${JSON.stringify(header)}\n`);
}

/** More than any head has, so that what is no backup is noticed soon. */
export const maxHeadSize = 64 * 1024;

export type Head =
  | { readonly kind: 'head'; readonly header: BackupHeader; readonly size: number }
  | { readonly kind: 'newer'; readonly version: number }
  /** No backup, or a damaged one. */
  | { readonly kind: 'none' };

/** Reads a head from the first bytes of a file. */
export function readHead(bytes: Buffer): Head {
  const [, version, json] =
    /^plastron-backup (\d{1,9})\n(?:([^\n]*)\n)?/.exec(bytes.toString('latin1')) ?? [];
  if (version === undefined) return { kind: 'none' };
  if (Number(version) !== formatVersion) return { kind: 'newer', version: Number(version) };
  if (json === undefined) return { kind: 'none' };
  const header = headerOf(Buffer.from(json, 'latin1').toString('utf8'));
  if (!header) return { kind: 'none' };
  return { kind: 'head', header, size: `${magic} ${version}\n`.length + json.length + 1 };
}

const magic = 'plastron-backup';

function headerOf(json: string): BackupHeader | undefined {
  try {
    const { trustDomain, createdAt, database, authoritiesSize } = JSON.parse(json);
    if (![createdAt, authoritiesSize].every(isCount)) return undefined;
    const header = { trustDomain: parseTrustDomain(trustDomain), createdAt, authoritiesSize };
    if (database === undefined) return header;
    const { schemaVersion, size } = database;
    return isCount(schemaVersion) && isCount(size)
      ? { ...header, database: { schemaVersion, size } }
      : undefined;
  } catch {
    return undefined;
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
