import { styleText } from 'node:util';
import { columnsOf, visible } from '../base/visible.js';

// The rules of the terminal, kept by this file alone:
// - stdout carries data, stderr everything else; a human table is never meant to be parsed.
// - Colour only on a terminal, never under NO_COLOR or TERM=dumb; --color and FORCE_COLOR decide before that.
// - No colour and no symbol ever carries a meaning that a word beside it does not.
// - Symbols are ASCII where the locale is not UTF-8.
// - Text that somebody else wrote goes through `visible` before it is printed.

export type ColorChoice = 'auto' | 'always' | 'never';
export type Tone = 'good' | 'bad' | 'warning' | 'accent' | 'strong' | 'faint';
export type Stream = 'stdout' | 'stderr';

/** The little of a writable stream that a voice needs. */
export interface TextSink {
  readonly isTTY?: boolean | undefined;
  /** `written` is called once there is room for more. */
  write(data: string | Uint8Array, written?: (error?: Error | null) => void): unknown;
}

export interface Voice {
  /** A line of data, on stdout. */
  print(line?: string): void;
  /** A line for the person, on stderr. */
  say(line?: string): void;
  /** Colours `text` if the stream it is meant for (stdout unless said otherwise) shows colours. */
  paint(tone: Tone, text: string, stream?: Stream): string;
  /** ✓, ! or ✗ (ASCII where the locale asks for it), coloured. */
  mark(kind: 'good' | 'warning' | 'bad', stream?: Stream): string;
  /** Whether a stream shows colours. */
  colored(stream: Stream): boolean;
}

export interface VoiceOptions {
  stdout: TextSink;
  stderr: TextSink;
  env: Readonly<Record<string, string | undefined>>;
  color: ColorChoice;
}

export function createVoice({ stdout, stderr, env, color }: VoiceOptions): Voice {
  const colors = { stdout: showsColor(stdout, env, color), stderr: showsColor(stderr, env, color) };
  const marks = isUtf8(env)
    ? { good: '✓', warning: '!', bad: '✗' }
    : ({ good: '+', warning: '!', bad: 'x' } as const);
  const paint = (tone: Tone, text: string, stream: Stream = 'stdout') =>
    colors[stream] ? styleText([...styles[tone]], text) : text;
  return {
    print: (line = '') => void stdout.write(`${line}\n`),
    say: (line = '') => void stderr.write(`${line}\n`),
    paint,
    mark: (kind, stream) => paint(kind, marks[kind], stream),
    colored: (stream) => colors[stream],
  };
}

/**
 * Rows as aligned columns, two spaces apart, the last one not padded. Cells are made visible; a cell that is already
 * painted is given as `{ text, painted }`.
 */
export function formatTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  return aligned([head, ...rows]);
}

/** What is known about one thing: a label and its values, each value on a line of its own; without a value no line. */
export function factLines(
  facts: readonly (readonly [label: string, values: Cell | readonly Cell[]])[],
): string[] {
  const rows = facts.flatMap(([label, values]) =>
    [values]
      .flat()
      .filter((value) => value !== '')
      .map((value, at) => [at === 0 ? label : '', value]),
  );
  return aligned(rows);
}

function aligned(rows: readonly (readonly Cell[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => columnsOf(plain(row[column] ?? '')))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const padding = column === row.length - 1 ? 0 : (widths[column] ?? 0) - columnsOf(plain(cell));
        return `${typeof cell === 'string' ? plain(cell) : cell.painted}${' '.repeat(padding)}`;
      })
      .join('  ')
      .trimEnd(),
  );
}

export type Cell = string | { text: string; painted: string };

function plain(cell: Cell): string {
  return visible(typeof cell === 'string' ? cell : cell.text);
}

const styles = {
  good: ['green'],
  bad: ['red'],
  warning: ['yellow'],
  accent: ['cyan'],
  strong: ['bold'],
  faint: ['dim'],
} as const satisfies Record<Tone, Parameters<typeof styleText>[0]>;

function showsColor(stream: TextSink, env: VoiceOptions['env'], choice: ColorChoice): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

function isUtf8(env: VoiceOptions['env']): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return locale === undefined || locale === '' || /utf-?8/i.test(locale);
}
