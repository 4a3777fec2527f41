import { Option } from 'commander';
import { stringify } from 'yaml';
import type { Cli } from './cli.js';

/** `table` is for people and may change; the others are documented in docs/reference/output.md. */
export type OutputFormat = 'table' | 'json' | 'yaml';

export interface OutputOptions {
  output: OutputFormat;
}

/** What programs are given: a kind, and plain values. Times are RFC 3339, durations whole seconds. */
export interface OutputDocument {
  readonly kind: string;
  readonly [field: string]: unknown;
}

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how it is printed: for people, or for programs')
    .choices(['table', 'json', 'yaml'])
    .default('table');
}

/** Prints a document on stdout, or for people the lines that `table` makes of it. */
export function output(
  cli: Cli,
  format: OutputFormat,
  { kind, ...fields }: OutputDocument,
  table: () => readonly string[],
): void {
  if (format === 'table') for (const line of table()) cli.voice.print(line);
  else {
    const document = { apiVersion: 'plastron/v1', kind, ...fields };
    cli.stdout.write(format === 'json' ? asJson(document) : asYaml(document));
  }
}

/** What could move a cursor or reorder a line stands as an escape, which means the same to a program. */
function asJson(value: object): string {
  const escaped = JSON.stringify(value, undefined, 2).replace(new RegExp(unsafe, 'gu'), (character) =>
    [...Array(character.length).keys()].map((at) => `\\u${hex(character.charCodeAt(at), 4)}`).join(''),
  );
  return `${escaped}\n`;
}

/** Quotes also what only older readers of YAML take for something else than a text, such as a time. */
function asYaml(value: object): string {
  const options = { lineWidth: 0, compat: 'yaml-1.1' } as const;
  const text = stringify(value, options);
  if (!unsafe.test(text)) return text;
  // Only double-quoted texts have escapes.
  const quoted = { ...options, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' } as const;
  return stringify(value, quoted).replace(
    new RegExp(unsafe, 'gu'),
    (character) => `\\U${hex(character.codePointAt(0) ?? 0, 8)}`,
  );
}

const unsafe = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
