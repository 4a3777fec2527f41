import type { KeyManager } from '../../src/ca/key-manager.js';
import { type LocalKey, newLocalKey, type RemoteKey, signWith } from '../../src/ca/signing-key.js';

/** A key management service: keys of its own that outlive any server, and signatures over a wire that can fail. */
export interface FakeKms extends KeyManager {
  /** References of the keys it has made, in order. */
  readonly made: string[];
  /** How many signatures it has given. */
  signatures: number;
  /** Thrown by every call while it is there. */
  away: Error | undefined;
  /** Changes a signature on its way. */
  tamper: (signature: Uint8Array) => Uint8Array;
  lose(reference: string): void;
}

export function fakeKms(): FakeKms {
  const keys = new Map<string, LocalKey>();
  const reach = async () => {
    // As over a network: never in the same turn.
    await new Promise(setImmediate);
    if (kms.away) throw kms.away;
  };
  const remote = (reference: string, key: LocalKey): RemoteKey => ({
    kind: 'remote',
    publicKey: key.publicKey,
    reference,
    sign: async (data) => {
      await reach();
      kms.signatures++;
      return kms.tamper(await signWith(key, data));
    },
  });
  const kms: FakeKms = {
    made: [],
    signatures: 0,
    away: undefined,
    tamper: (signature) => signature,
    lose: (reference) => void keys.delete(reference),
    generate: async () => {
      await reach();
      const reference = `fake-kms:${kms.made.length + 1}`;
      kms.made.push(reference);
      const key = newLocalKey();
      keys.set(reference, key);
      return remote(reference, key);
    },
    find: async (reference) => {
      await reach();
      const key = keys.get(reference);
      return key && remote(reference, key);
    },
  };
  return kms;
}
