/** A text file as it was read once: everything that is said about it refers to this text. */
export interface SourceFile {
  /** As the user named it, for messages. */
  path: string;
  text: string;
}

/** Half-open range of UTF-16 offsets into a source file's text. */
export interface SourceRange {
  file: SourceFile;
  start: number;
  end: number;
}

/** Line and column of an offset, both from 1; the column counts UTF-16 units, as editors do. */
export function lineAndColumn(file: SourceFile, offset: number): { line: number; column: number } {
  const before = file.text.slice(0, offset);
  const lastBreak = before.lastIndexOf('\n');
  return { line: before.split('\n').length, column: offset - lastBreak };
}

/** `file:line:column`, as compilers print it. */
export function placeOf(range: SourceRange): string {
  const { line, column } = lineAndColumn(range.file, range.start);
  return `${range.file.path}:${line}:${column}`;
}
