import type { SourceRange } from '../source.js';

/** A YAML value with its place: what is left of a file once every surprise of YAML has been refused. */
export type Tree = ScalarTree | ListTree | MapTree;

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly at: SourceRange;
}

export interface ListTree {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly at: SourceRange;
}

export interface MapTree {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
  readonly at: SourceRange;
}

export interface MapEntry {
  readonly key: string;
  readonly keyAt: SourceRange;
  readonly value: Tree;
}
