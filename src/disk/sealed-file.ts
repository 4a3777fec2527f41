import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { lstatSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isOursAlone, writePrivateFile } from './private-file.js';

/** A text on the disk that only this folder's owner can read, and that nobody can change unnoticed. */
export interface SealedFile {
  readonly path: string;
  /** `undefined` when there is none. Throws an error with one sentence for what is damaged, foreign or bound to something else. */
  read(boundTo: string): string | undefined;
  /** Whole after a crash at any moment. One at a time. Throws the errors of the operating system. */
  write(boundTo: string, text: string): Promise<void>;
  /** The text and its key; that there is nothing is no error. */
  remove(): void;
}

const algorithm = 'aes-256-gcm';
const magic = Buffer.from('PLSEAL01');
const nonceBytes = 12;
const tagBytes = 16;

/**
 * `name` in `folder`, encrypted with AES-256-GCM to a random key in a file beside it; both 0600. What a text is bound to is
 * not in the file: who reads it has to know. A copy of the file alone, as a backup of one file makes it, is of no use.
 */
export function sealedFile(folder: string, name: string): SealedFile {
  const [path, keyPath] = [join(folder, name), join(folder, `${name}.key`)];
  const newKey = async () => {
    const key = randomBytes(32);
    await writePrivateFile(keyPath, key.toString('base64'));
    return key;
  };
  return {
    path,
    read(boundTo) {
      const sealed = readPrivate(path);
      if (!sealed) return undefined;
      const key = readKey(keyPath);
      if (!key) throw new Error('its key is gone');
      return open(sealed, key, boundTo);
    },
    async write(boundTo, text) {
      const key = knownKey(keyPath) ?? (await newKey());
      await writePrivateFile(path, seal(text, key, boundTo));
    },
    remove() {
      for (const one of [path, `${path}.new`, keyPath, `${keyPath}.new`]) rmSync(one, { force: true });
    },
  };
}

function seal(text: string, key: Uint8Array, boundTo: string): Buffer {
  // Random nonces are safe for 2^32 texts under one key (NIST SP 800-38D §8.3).
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(boundTo));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([magic, nonce, cipher.getAuthTag(), sealed]);
}

function open(sealed: Buffer, key: Uint8Array, boundTo: string): string {
  if (!sealed.subarray(0, magic.length).equals(magic)) throw new Error('it is of another format');
  const [nonceAt, tagAt] = [magic.length, magic.length + nonceBytes];
  const textAt = tagAt + tagBytes;
  if (sealed.length < textAt) throw new Error('it is cut off');
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(nonceAt, tagAt), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(boundTo)).setAuthTag(sealed.subarray(tagAt, textAt));
  const text = decipher.update(sealed.subarray(textAt));
  try {
    // Nothing of it is looked at before all of it is known to be whole.
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    throw new Error('it is damaged, or somebody else wrote it');
  }
}

/** `undefined` also for a key that is no good: a new one takes its place. */
function knownKey(path: string): Buffer | undefined {
  try {
    return readKey(path);
  } catch {
    return undefined;
  }
}

function readKey(path: string): Buffer | undefined {
  const key = readPrivate(path);
  if (!key) return undefined;
  const bytes = Buffer.from(key.toString('latin1'), 'base64');
  if (bytes.length !== 32) throw new Error('its key is damaged');
  return bytes;
}

function readPrivate(path: string): Buffer | undefined {
  // A link has every access, so it is refused with the rest.
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (!isOursAlone(stats)) {
    throw new Error(`other users have access to ${path}`);
  }
  return readFileSync(path);
}
