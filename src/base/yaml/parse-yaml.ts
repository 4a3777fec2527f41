import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
  type YAMLParseError,
} from 'yaml';
import { diagnostic, type Report } from '../diagnostics/diagnostic.js';
import type { SourceFile, SourceRange } from '../source.js';
import { visible } from '../visible.js';
import type { MapEntry, Tree } from './tree.js';

const usualMaxCharacters = 1 << 18;
const maxDepth = 32;
/** One slip often makes the parser stumble over every line that follows. */
const maxSyntaxErrors = 20;

/**
 * Reads one YAML 1.2 document (core schema, so `no` and `on` are texts) and refuses whatever could make it mean something
 * else than it seems to: duplicate keys, anchors, aliases, merge keys, tags, directives, `__proto__`, several documents,
 * invisible characters. Answers `undefined` when anything was refused; everything that was is reported.
 */
export function parseYaml(
  file: SourceFile,
  report: Report,
  maxCharacters = usualMaxCharacters,
): Tree | undefined {
  let refused = false;
  const refuse: Report = (found) => {
    refused = true;
    report(found);
  };
  const document = readDocument(file, refuse, maxCharacters);
  const root = document?.contents;
  const tree = root ? buildTree({ file, report: refuse }, root, 0) : undefined;
  return refused ? undefined : tree;
}

interface Reader {
  readonly file: SourceFile;
  readonly report: Report;
}

function readDocument(file: SourceFile, report: Report, maxCharacters: number): Document | undefined {
  const { text } = file;
  if (text.length > maxCharacters) {
    report(diagnostic('POL0009', { problem: `it has more than ${maxCharacters} characters` }, start(file)));
    return;
  }
  const hidden = hiddenCharacter(text);
  if (hidden) {
    const at = rangeAt(file, hidden.index, hidden.index + hidden[0].length);
    report(diagnostic('POL0010', { character: visible(hidden[0]) }, at));
  }
  if (nestsTooDeep(text)) {
    report(diagnostic('POL0009', { problem: tooDeep }, start(file)));
    return;
  }
  const options = {
    version: '1.2',
    schema: 'core',
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
  } as const;
  const documents = [...parseAllDocuments(text, options)];
  const errors = documents.flatMap((document) => document.errors);
  for (const error of errors.slice(0, maxSyntaxErrors)) report(syntaxError(file, error));
  if (errors.length > 0) return;
  const [first, second] = documents;
  if (second) report(diagnostic('POL0007', {}, rangeOf(file, second.contents ?? undefined)));
  if (first?.directives?.yaml.explicit || Object.keys(first?.directives?.tags ?? {}).length > 1) {
    report(diagnostic('POL0006', {}, start(file)));
  }
  if (!first?.contents || (isScalar(first.contents) && first.contents.value === null)) {
    report(diagnostic('POL0008', {}, start(file)));
  }
  return first;
}

const tooDeep = `it nests more than ${maxDepth} levels deep`;

/** The parser recurses, and a million brackets end the whole process: so the deepest files never reach it. */
function nestsTooDeep(text: string): boolean {
  if (/^[ \t]*(?:[-?:][ \t]+){33}/m.test(text)) return true;
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    if (bracket === '[' || bracket === '{') depth++;
    else if (depth > 0) depth--;
    if (depth > 2 * maxDepth) return true;
  }
  return false;
}

function syntaxError(file: SourceFile, error: YAMLParseError) {
  const [from, to] = error.pos;
  const at = rangeAt(file, from, Math.max(to, from + 1));
  if (error.code === 'BAD_ALIAS') return diagnostic('POL0003', { text: file.text.slice(from, to) }, at);
  const problem = error.message.charAt(0).toLowerCase() + error.message.slice(1);
  return diagnostic('POL0001', { problem }, at);
}

function buildTree(reader: Reader, node: Node, depth: number): Tree | undefined {
  const { file, report } = reader;
  const at = rangeOf(file, node);
  if (depth > maxDepth) {
    report(diagnostic('POL0009', { problem: tooDeep }, at));
    return;
  }
  if (isAlias(node)) {
    report(diagnostic('POL0003', { text: file.text.slice(at.start, at.end) }, at));
    return;
  }
  if (node.tag !== undefined) report(diagnostic('POL0004', { tag: node.tag }, at));
  if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) {
    report(diagnostic('POL0003', { text: `&${node.anchor}` }, at));
  }
  if (isMap(node)) return { kind: 'map', entries: buildEntries(reader, node, depth), at };
  if (isSeq(node)) {
    const items = node.items.map((item) => buildTree(reader, item as Node, depth + 1));
    return { kind: 'list', items: items.filter((item) => item !== undefined), at };
  }
  return { kind: 'scalar', value: scalarValue(isScalar(node) ? node.value : null), at };
}

function buildEntries(reader: Reader, map: YAMLMap, depth: number): MapEntry[] {
  const { file, report } = reader;
  const entries = new Map<string, MapEntry>();
  for (const { key: keyNode, value } of map.items as Pair<Node, Node | null>[]) {
    const keyAt = rangeOf(file, keyNode);
    const key = isScalar(keyNode) ? keyNode.value : undefined;
    if (typeof key !== 'string') {
      report(diagnostic('POL0005', { key: file.text.slice(keyAt.start, keyAt.end) }, keyAt));
      continue;
    }
    if (key === '<<') report(diagnostic('POL0003', { text: '<<' }, keyAt));
    if (key === '__proto__') report(diagnostic('POL0005', { key }, keyAt));
    const first = entries.get(key);
    if (first) {
      const related = [{ at: first.keyAt, label: 'first written here' }];
      report(diagnostic('POL0002', { key }, keyAt, { related }));
      continue;
    }
    // Nothing has no place of its own: its key stands for it.
    const isNothing = !value || value.range?.[0] === value.range?.[1];
    const tree: Tree | undefined = isNothing
      ? { kind: 'scalar', value: null, at: keyAt }
      : buildTree(reader, value, depth + 1);
    if (tree) entries.set(key, { key, keyAt, value: tree });
  }
  return [...entries.values()];
}

function scalarValue(value: unknown): string | number | boolean | null {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  return String(value);
}

/** A byte order mark at the very start is the one invisible character that editors put there by themselves. */
function hiddenCharacter(text: string): RegExpExecArray | null {
  const pattern = /(?![\n\r\t])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
  if (text.startsWith('\ufeff')) pattern.lastIndex = 1;
  return pattern.exec(text);
}

function rangeOf(file: SourceFile, node: Node | undefined): SourceRange {
  const [from, to] = node?.range ?? [0, 1, 1];
  return rangeAt(file, from, Math.max(to, from + 1));
}

function rangeAt(file: SourceFile, from: number, to: number): SourceRange {
  return { file, start: from, end: to };
}

function start(file: SourceFile): SourceRange {
  return rangeAt(file, 0, 1);
}
