import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import type { TrustDomain } from '../../spiffe/id.js';
import type { ServerStore, StoreSnapshot } from '../ports.js';
import { headBytes } from './format.js';

/** What a backup is made of. */
export interface BackupParts {
  readonly trustDomain: TrustDomain;
  readonly store: Pick<ServerStore, 'snapshot'>;
  /** The authorities as they are on the disk (`authoritiesToPem`). **Secret.** */
  authorities(): string;
  readonly clock: Clock;
}

/**
 * A backup as the bytes of its file (format.ts); consistent: the database as of one moment after the call, and the authorities
 * not older than that. Whoever stops iterating leaves nothing behind. **Secret.** Throws STO02xx.
 */
export async function* backupBytes(parts: BackupParts): AsyncGenerator<Uint8Array> {
  const { trustDomain, store, clock } = parts;
  const createdAt = clock.now();
  const snapshot = await store.snapshot();
  try {
    // Later than the database: an authority signs only once it has been in the bundle for a while, so none that signed is missing.
    const authorities = Buffer.from(parts.authorities());
    const database = snapshot && { schemaVersion: snapshot.schemaVersion, size: snapshot.size };
    const head = headBytes({
      ...{ trustDomain, createdAt, authoritiesSize: authorities.length },
      ...(database && { database }),
    });
    yield* withDigest(head, snapshot, authorities);
  } finally {
    await snapshot?.close();
  }
}

async function* withDigest(
  head: Buffer,
  snapshot: StoreSnapshot | undefined,
  authorities: Buffer,
): AsyncGenerator<Uint8Array> {
  const digest = createHash('sha256');
  const told = (bytes: Uint8Array) => {
    digest.update(bytes);
    return bytes;
  };
  yield told(head);
  if (snapshot) for await (const bytes of snapshot.read()) yield told(bytes);
  yield told(authorities);
  yield digest.digest();
}
