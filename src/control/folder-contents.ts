import type { PolicyFile } from '../policy/language/policy-file.js';
import { isEntriesFile } from '../registration/entries-file.js';

/** What lies in a policy folder: the files of the policy, and beside them files of registration entries. */
export interface FolderContents {
  readonly policy: readonly PolicyFile[];
  readonly entries: readonly PolicyFile[];
}

export function folderContents(files: readonly PolicyFile[]): FolderContents {
  return {
    policy: files.filter((file) => !isEntriesFile(file)),
    entries: files.filter(isEntriesFile),
  };
}
