import { visible } from '../base/visible.js';
import type { MessageOut } from '../wire/names.js';
import { refusalParts } from './admin.js';
import { type Cli, exitCodes } from './cli.js';
import { type OutputFormat, output } from './output.js';

/** What became of one member of a batch. */
export interface Result {
  readonly id: string;
  /** Missing, or with the code 0, when it was done. */
  readonly status: MessageOut<'spire.api.types.Status'> | null | undefined;
}

/** Says of each member what became of it: done on stdout, refused on stderr with the way out. One refusal is exit code 1. */
export function tellResults<R extends Result>(
  cli: Cli,
  format: OutputFormat,
  kind: string,
  results: readonly R[],
  done: (result: R) => string,
): void {
  const failed = results.filter(isRefused);
  const items = results.map(({ id, status }) => ({ id, done: !status?.code, error: errorOf(status) }));
  output(cli, format, { kind, items }, () => results.filter((result) => !isRefused(result)).map(done));
  for (const result of failed) tellRefusal(cli, result);
  if (failed.length > 0) cli.exitWith(exitCodes.negative);
}

export function isRefused({ status }: Pick<Result, 'status'>): boolean {
  return Boolean(status?.code);
}

/** A line or two on stderr. */
export function tellRefusal({ voice }: Cli, { id, status }: Result): void {
  const { problem, hint } = refusalParts(status?.message ?? '');
  voice.say(`${voice.mark('bad', 'stderr')} ${visible(id)}: ${visible(problem)}`);
  voice.say(`  = help: ${visible(hint)}`);
}

/** The refusal in the server's words, or `null`. */
export function errorOf(status: Result['status']): string | null {
  return status?.code ? (status.message ?? '') : null;
}
