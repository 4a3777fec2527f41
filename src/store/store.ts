import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { ServerStore } from '../server/ports.js';
import type { TrustDomain } from '../spiffe/id.js';
import { openLibsql } from './libsql/connection.js';

export interface StoreOptions {
  /** The folder of the database; made, 0700, when it is not there. */
  dataDir: string;
  trustDomain: TrustDomain;
  clock: Clock;
}

/**
 * Opens the store in a data directory, for this process alone. What it acknowledges is on the disk.
 * Throws STO01xx, STO02xx.
 */
export async function openStore(options: StoreOptions): Promise<ServerStore & { close(): Promise<void> }> {
  const { dataDir, trustDomain, clock } = options;
  const { run, close } = await openLibsql({ path: join(dataDir, 'server.db'), trustDomain });
  return {
    entries: () => run('allEntries'),
    createEntries: (entries) => run('createEntries', entries, Math.floor(clock.now() / 1000)),
    updateEntries: (changes) => run('updateEntries', changes),
    deleteEntries: (ids) => run('deleteEntries', ids),
    agents: () => run('allAgents'),
    attest: (attestation) => run('attest', attestation, randomUUID(), clock.now()),
    renewAgent: (id, { serial, expiresAt }) => run('renewAgent', id, serial, expiresAt),
    activateAgent: (id, serial) => run('activateAgent', id, serial),
    banAgent: (id) => run('banAgent', id),
    setAgentVersion: (id, version) => run('setAgentVersion', id, version),
    deleteAgent: (id) => run('deleteAgent', id),
    createJoinToken: (token) => run('createJoinToken', token, clock.now()),
    joinToken: (hash) => run('joinToken', hash, clock.now()),
    settleJoinToken: (serial) => run('settleJoinToken', serial),
    unsettledSerials: () => run('unsettledSerials'),
    bundleSequence: async (contentHash) => BigInt(await run('bundleSequence', contentHash)),
    lastBundleSequence: async () => BigInt(await run('lastBundleSequence')),
    federatedBundles: () => run('allFederatedBundles'),
    writeFederatedBundles: (writes) => run('writeFederatedBundles', writes),
    deleteFederatedBundles: (trustDomains, mode) => run('deleteFederatedBundles', trustDomains, mode),
    checkWritable: () => run('checkWritable', clock.now()),
    close,
  };
}
