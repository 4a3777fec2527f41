import type { Ending } from '../test/support/children.js';

/** Figures by name; names end in their unit: `_per_s`, `_ms`, `_us`, `_mb`, `_kb`, `_bytes`. */
export type Figures = Readonly<Record<string, number>>;

/** Why a peer was not measured, in a sentence. */
export interface Missing {
  readonly missing: string;
}

export interface Report {
  readonly ours: Figures;
  /** What ours is held against, by name. Ratios are those to the first one. */
  readonly peers: Readonly<Record<string, Figures | Missing>>;
  /** The version, where an Envoy took part. */
  readonly envoy?: string;
}

/** What a benchmark is run with. What it starts ends with it (`after`), however it goes. */
export interface BenchRun extends Ending {
  /** The value of an option of the benchmark, as text. */
  option(name: string): string;
  /** How often everything is measured; figures are medians. */
  readonly rounds: number;
  /** Says on standard error what is going on. */
  note(sentence: string): void;
}

export interface Bench {
  /** What is measured, in a line. */
  readonly summary: string;
  /** Its own options with their defaults. */
  readonly options: Readonly<Record<string, string>>;
  run(bench: BenchRun): Promise<Report>;
}
