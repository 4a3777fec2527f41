/** A point in time as people write it. Whole seconds, so that Envoy and we agree to the second. */
export interface Instant {
  /** Milliseconds since the Unix epoch. */
  readonly ms: number;
  /** `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly text: string;
}

/**
 * A date (`2027-01-01`, which means its first second in UTC) or an instant (`2027-01-01T12:00:00Z`). Answers `undefined`
 * for everything else, dates that no calendar has included: Envoy would accept `2027-02-30`, fail at run time, and a deny
 * that carries it would vanish.
 */
export function parseInstant(text: string): Instant | undefined {
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?$/.test(text)) return;
  const full = text.length === 10 ? `${text}T00:00:00Z` : text;
  const ms = Date.parse(full);
  if (Number.isNaN(ms) || instantAt(ms).text !== full) return;
  return { ms, text: full };
}

/** `ms` cut to whole seconds. */
export function instantAt(ms: number): Instant {
  return { ms: Math.floor(ms / 1000) * 1000, text: new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z') };
}
