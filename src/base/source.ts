/** A text file as it was read once: everything that is said about it refers to this text. */
export interface SourceFile {
  /** As the user named it, for messages. */
  readonly path: string;
  readonly text: string;
}

/** Half-open range of UTF-16 offsets into a source file's text. */
export interface SourceRange {
  file: SourceFile;
  start: number;
  end: number;
}

/** Line and column of an offset, both from 1; the column counts UTF-16 units, as editors do. */
export function lineAndColumn(file: SourceFile, offset: number): { line: number; column: number } {
  const starts = lineStartsOf(file);
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

/** The text of a line, counted from 1, without its end; `undefined` when there is none. */
export function lineOf(file: SourceFile, line: number): string | undefined {
  const starts = lineStartsOf(file);
  const [start, next] = [starts[line - 1], starts[line]];
  if (start === undefined) return undefined;
  return next === undefined ? file.text.slice(start) : file.text.slice(start, next - 1).replace(/\r$/, '');
}

/** Kept, since a file of megabytes can have thousands of places to tell. */
const lineStarts = new WeakMap<SourceFile, readonly number[]>();

function lineStartsOf(file: SourceFile): readonly number[] {
  const known = lineStarts.get(file);
  if (known) return known;
  const starts = [0];
  for (let at = file.text.indexOf('\n'); at >= 0; at = file.text.indexOf('\n', at + 1)) starts.push(at + 1);
  lineStarts.set(file, starts);
  return starts;
}

/** `file:line:column`, as compilers print it. */
export function placeOf(range: SourceRange): string {
  const { line, column } = lineAndColumn(range.file, range.start);
  return `${range.file.path}:${line}:${column}`;
}
