import { randomUUID } from 'node:crypto';
import type { Entry } from '../registration/entry.js';
import type { ServerStore } from '../server/ports.js';
import { connectStore, type StoreOptions } from './connect.js';
import type { Connection } from './connection.js';
import { follow } from './follow.js';

/**
 * Opens the store: a file in the data directory, for this process alone, or a database that several servers share. What it
 * acknowledges is on the disk. Throws STO0xxx.
 */
export async function openStore(options: StoreOptions): Promise<ServerStore & { close(): Promise<void> }> {
  const { clock } = options;
  const connection = await connectStore(options);
  const { run, close } = connection;
  return {
    entryPages: () => entryPages(run),
    createEntries: (entries) => run('createEntries', entries, Math.floor(clock.now() / 1000)),
    updateEntries: (changes) => run('updateEntries', changes),
    deleteEntries: (ids) => run('deleteEntries', ids),
    agents: () => run('allAgents'),
    attest: (attestation) => run('attest', attestation, randomUUID(), clock.now()),
    renewAgent: (id, { serial, expiresAt }) => run('renewAgent', id, serial, expiresAt),
    activateAgent: (id, serial) => run('activateAgent', id, serial),
    catchUpAgent: (id, { serial, expiresAt }) => run('catchUpAgent', id, serial, expiresAt),
    banAgent: (id) => run('banAgent', id),
    setAgentVersion: (id, version) => run('setAgentVersion', id, version),
    deleteAgent: (id) => run('deleteAgent', id),
    createJoinToken: (token) => run('createJoinToken', token, clock.now()),
    joinToken: (hash) => run('joinToken', hash, clock.now()),
    settleJoinToken: (serial) => run('settleJoinToken', serial),
    unsettledSerials: () => run('unsettledSerials'),
    bundleSequence: async (contentHash) => BigInt(await run('bundleSequence', contentHash)),
    lastBundleSequence: async () => BigInt(await run('lastBundleSequence')),
    appendedAuthorities: () => run('appendedAuthorities'),
    appendAuthorities: (added) => run('appendAuthorities', added),
    federatedBundles: () => run('allFederatedBundles'),
    writeFederatedBundles: (writes) => run('writeFederatedBundles', writes),
    deleteFederatedBundles: (trustDomains, mode) => run('deleteFederatedBundles', trustDomains, mode),
    position: () => run('storePosition'),
    follow: (since, follower) => follow(connection, since, follower),
    checkWritable: () => run('checkWritable', clock.now()),
    snapshot: async () => connection.snapshot?.(),
    restoredAt: () => run('restoredAt'),
    close,
  };
}

/** In one piece they would hold everything else up. */
const entriesAtOnce = 1_000;

async function* entryPages(run: Connection['run']): AsyncGenerator<readonly Entry[]> {
  let page: readonly Entry[] | undefined;
  do {
    page = await run('entriesAfter', page?.at(-1)?.id ?? '', entriesAtOnce);
    yield page;
  } while (page.length === entriesAtOnce);
}
