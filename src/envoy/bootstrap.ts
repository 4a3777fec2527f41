import { fault } from '../base/faults/fault.js';
import { placeOf, type SourceFile, type SourceRange } from '../base/source.js';

/**
 * Fills a bootstrap template in. A variable stands as `'{{NAME}}'`, alone in a single-quoted YAML scalar, so whatever its
 * value is, it stays that one scalar; Envoy reads a quoted number as a number. Nothing may be left over and nothing may be
 * too much: a bootstrap with a hole in it is refused, never guessed at.
 * Throws ENV0501 (no value), ENV0502 (no such variable), ENV0503 (a value that no YAML line can hold), ENV0504 (a
 * placeholder that is not written so).
 */
export function renderBootstrap(template: SourceFile, values: ReadonlyMap<string, string>): string {
  const used = new Set<string>();
  const rendered = template.text.replace(placeholder, (written: string, name: string, start: number) => {
    const value = values.get(name);
    if (value === undefined) {
      throw fault('ENV0501', {
        name,
        place: placeOf({ file: template, start, end: start + written.length }),
      });
    }
    used.add(name);
    return `'${oneLine(name, value).replaceAll("'", "''")}'`;
  });
  const leftOver = misspelt(template);
  if (leftOver) throw fault('ENV0504', { place: placeOf(leftOver) });
  for (const name of values.keys()) {
    if (!used.has(name)) throw fault('ENV0502', { name, file: template.path, known: [...used].join(', ') });
  }
  return rendered;
}

const placeholder = /'\{\{([A-Z][A-Z0-9_]*)\}\}'/g;

/** What looks like the start of a placeholder and is none. */
function misspelt(template: SourceFile): SourceRange | undefined {
  const others = template.text.replace(placeholder, (written) => ' '.repeat(written.length));
  const start = others.indexOf('{{');
  return start < 0 ? undefined : { file: template, start, end: start + 2 };
}

/** Line breaks, other control characters, and what cannot be seen have no place in a path or an address. */
function oneLine(name: string, value: string): string {
  if (value === '' || /[\p{C}\p{Zl}\p{Zp}]/u.test(value)) throw fault('ENV0503', { name });
  return value;
}
