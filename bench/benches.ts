import type { Bench } from './bench.js';

/** Every benchmark by name, loaded when it is asked for. */
export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  issue: async () => (await import('./issue.js')).issue,
};
