import type { Bench } from './bench.js';

/** Every benchmark by name, loaded when it is asked for. */
export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  entries: async () => (await import('./entries.js')).entries,
  propagate: async () => (await import('./propagate.js')).propagate,
  sds: async () => (await import('./sds.js')).sds,
  issue: async () => (await import('./issue.js')).issue,
};
