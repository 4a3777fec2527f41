import { lineAndColumn, lineOf, placeOf, type SourceRange } from '../source.js';
import { columnsOf, visible } from '../visible.js';
import { type Diagnostic, sortDiagnostics } from './diagnostic.js';

/** Colours a piece of the text; the identity where there are no colours. */
export type Painter = (tone: 'bad' | 'warning' | 'accent' | 'strong', text: string) => string;

/** More than this many are counted, not printed. */
const limit = 50;

/**
 * Diagnostics as text, sorted by position, in the form of compilers:
 *
 *     error[POL0202]: rule `web-reads` names the unknown service `oders`
 *       --> policy.yaml:9:9
 *        |
 *      9 |     to: oders
 *        |         ^^^^^ no service has this name
 *        |
 *        = help: did you mean `orders`?
 *        = more: run `plastron explain POL0202`
 */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], paint: Painter = plain): string {
  const sorted = sortDiagnostics(diagnostics);
  const shown = sorted.slice(0, limit).map((diagnostic) => renderOne(diagnostic, paint));
  if (sorted.length > limit) shown.push(`and ${sorted.length - limit} more`);
  return shown.join('\n\n');
}

/** `2 errors, 1 warning`, or `` when there is nothing. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  return [plural(errors, 'error'), plural(warnings, 'warning')].filter((part) => part !== '').join(', ');
}

function renderOne(diagnostic: Diagnostic, paint: Painter): string {
  const tone = diagnostic.severity === 'error' ? 'bad' : 'warning';
  const ranges = [diagnostic.at, ...diagnostic.related.map(({ at }) => at)];
  const gutter = ' '.repeat(
    Math.max(...ranges.map((at) => String(lineAndColumn(at.file, at.start).line).length)),
  );
  const bar = paint('accent', `${gutter} |`);
  const more = (kind: string, text: string) =>
    `${paint('accent', `${gutter} =`)} ${paint('strong', kind)}: ${visible(text)}`;
  return [
    `${paint(tone, `${diagnostic.severity}[${diagnostic.code}]`)}${paint('strong', `: ${visible(diagnostic.message)}`)}`,
    `${gutter}${paint('accent', '-->')} ${visible(placeOf(diagnostic.at))}`,
    ...excerpt(diagnostic.at, { gutter, paint, before: true, mark: '^', tone, label: diagnostic.label }),
    ...diagnostic.related.flatMap(({ at, label }) => [
      `${gutter}${paint('accent', ':::')} ${visible(placeOf(at))}`,
      ...excerpt(at, { gutter, paint, before: false, mark: '-', tone: 'accent', label }),
    ]),
    bar,
    ...diagnostic.notes.map((note) => more('note', note)),
    ...diagnostic.helps.map((help) => more('help', help)),
    more('more', `run \`plastron explain ${diagnostic.code}\``),
  ].join('\n');
}

interface ExcerptStyle {
  gutter: string;
  paint: Painter;
  /** Whether the line before is shown too. */
  before: boolean;
  mark: string;
  tone: 'bad' | 'warning' | 'accent';
  label: string;
}

function excerpt(at: SourceRange, style: ExcerptStyle): string[] {
  const { line, column } = lineAndColumn(at.file, at.start);
  const text = lineOf(at.file, line) ?? '';
  const numbered = (number: number, shown: string) =>
    `${style.paint('accent', `${String(number).padStart(style.gutter.length)} |`)} ${shown}`.trimEnd();
  const bar = style.paint('accent', `${style.gutter} |`);
  const indent = columnsOf(onScreen(text.slice(0, column - 1)));
  const width = columnsOf(onScreen(text.slice(column - 1, column - 1 + at.end - at.start)));
  const marks = style.paint(
    style.tone,
    `${style.mark.repeat(Math.max(1, width))} ${visible(style.label)}`.trimEnd(),
  );
  const previous = lineOf(at.file, line - 1);
  return [
    bar,
    ...(style.before && previous?.trim() ? [numbered(line - 1, onScreen(previous))] : []),
    numbered(line, onScreen(text)),
    `${bar} ${' '.repeat(indent)}${marks}`,
  ];
}

function onScreen(text: string): string {
  return visible(text.replaceAll('\t', '    '));
}

function plain(_tone: string, text: string): string {
  return text;
}

function plural(count: number, word: string): string {
  return count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`;
}
