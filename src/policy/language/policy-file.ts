import type { SourceFile } from '../../base/source.js';
import type { Tree } from '../../base/yaml/tree.js';

/** A file of a policy. `path` is for messages; `name` goes into the ids of its rules. */
export interface PolicyFile extends SourceFile {
  /** Relative to the policy directory, with `/` between folders. */
  readonly name: string;
}

export type Section = 'version' | 'trustDomains' | 'callers' | 'services' | 'rules' | 'tests';

/** One file's sections, still as trees. */
export interface PolicySections {
  readonly file: PolicyFile;
  readonly sections: Partial<Record<Section, Tree>>;
}
