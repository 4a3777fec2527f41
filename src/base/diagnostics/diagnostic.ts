import { type Fault, fault } from '../faults/fault.js';
import type { FaultCode, FaultParams } from '../faults/table.js';
import type { SourceRange } from '../source.js';

/** One thing that is wrong, or risky, in a file that somebody wrote. Only warnings (POL03xx) leave it usable. */
export interface Diagnostic {
  readonly code: FaultCode;
  readonly severity: 'error' | 'warning';
  /** Stands alone: says what is wrong, never the way out. */
  readonly message: string;
  readonly at: SourceRange;
  /** Short; printed beside the marks under the text. */
  readonly label: string;
  readonly notes: readonly string[];
  /** The ways out. */
  readonly helps: readonly string[];
  readonly related: readonly RelatedPlace[];
}

export interface RelatedPlace {
  readonly at: SourceRange;
  readonly label: string;
}

export interface DiagnosticDetails {
  label?: string;
  notes?: readonly string[];
  /** Replace the hint of the code. */
  helps?: readonly string[];
  related?: readonly RelatedPlace[];
}

/** Where whoever reads a file leaves what it finds. */
export type Report = (diagnostic: Diagnostic) => void;

export function diagnostic<C extends FaultCode>(
  code: C,
  params: FaultParams<C>,
  at: SourceRange,
  details: DiagnosticDetails = {},
): Diagnostic {
  return diagnosticOf(fault(code, params), at, details);
}

/** A fault that was thrown over what is written at this place. */
export function diagnosticOf(
  { code, message, hint }: Fault,
  at: SourceRange,
  details: DiagnosticDetails = {},
): Diagnostic {
  return {
    code,
    severity: code.startsWith('POL03') ? 'warning' : 'error',
    message,
    at,
    label: details.label ?? '',
    notes: details.notes ?? [],
    helps: details.helps ?? [hint],
    related: details.related ?? [],
  };
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}

/** By file, position and code, so that two runs print the same. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) =>
      compareText(a.at.file.path, b.at.file.path) ||
      a.at.start - b.at.start ||
      compareText(a.code, b.code) ||
      compareText(a.message, b.message),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
