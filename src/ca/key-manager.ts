import { newLocalKey, type SigningKey } from './signing-key.js';

/** Where the private keys of authorities are made and kept. A key management service is one more of these. */
export interface KeyManager {
  /** A new P-256 key. It may be used once its authority, with what stands for it, is on the disk. */
  generate(): Promise<SigningKey>;
  /**
   * The key that a reference stands for; `undefined` when it is gone or not of this manager: its authority then still
   * verifies what it signed, and signs nothing more. Throws when that cannot be known now.
   */
  find(reference: string): Promise<SigningKey | undefined>;
}

/** Keys in the file of the authorities itself, which only its owner can read. */
export const diskKeys: KeyManager = {
  generate: async () => newLocalKey(),
  find: async () => undefined,
};

/** Keys that end with the process: after a restart nobody can use them, and there are new ones. */
export const memoryKeys: KeyManager = {
  generate: async () => ({ ...newLocalKey(), reference: 'memory' }),
  find: async () => undefined,
};
