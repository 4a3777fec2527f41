import type { BenchRun, Figures, Missing, Report } from './bench.js';

/**
 * Measures subjects by turns, so that whatever else the machine does hits all of them alike, and gives the median of each
 * figure.
 */
export async function byTurns<Name extends string>(
  { rounds, note }: Pick<BenchRun, 'rounds' | 'note'>,
  subjects: Readonly<Record<Name, () => Promise<Figures>>>,
): Promise<Record<Name, Figures>> {
  const names = Object.keys(subjects) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Figures[]>;
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      note(`round ${round} of ${rounds}: ${name}`);
      measured[name].push(await subjects[name]());
    }
  }
  return Object.fromEntries(names.map((name) => [name, medians(measured[name])])) as Record<Name, Figures>;
}

/** Ours and SPIRE's by turns, or ours alone where SPIRE is missing. */
export async function besideSpire(
  bench: Pick<BenchRun, 'rounds' | 'note'>,
  ours: () => Promise<Figures>,
  spire: (() => Promise<Figures>) | Missing,
): Promise<Report> {
  if ('missing' in spire) return { ours: (await byTurns(bench, { ours })).ours, peers: { spire } };
  const figures = await byTurns(bench, { ours, spire });
  return { ours: figures.ours, peers: { spire: figures.spire } };
}

/** Of each figure, which every round must have. */
export function medians(rounds: readonly Figures[]): Figures {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((round) => round[name] ?? NaN))]));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between two values it lies on the line through them. `NaN` without values. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const [low = NaN, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}
