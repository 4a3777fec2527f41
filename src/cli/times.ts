/** Seconds since the Unix epoch, as a message has them, in RFC 3339; `null` for none. */
export function instant(seconds: string | number | undefined): string | null {
  const ms = Number(seconds ?? 0) * 1000;
  if (ms === 0) return null;
  return Math.abs(ms) <= latest ? new Date(ms).toISOString().replace('.000Z', 'Z') : `${seconds}`;
}

/** `2026-11-24T12:00:00Z (in 41m)`, or `never`. */
export function timeAndDistance(seconds: string | number | undefined, nowMs: number): string {
  const time = instant(seconds);
  return time === null ? 'never' : `${time} (${fromNow(seconds, nowMs)})`;
}

/** `in 41m`, `3d ago`: the two largest units that tell. */
export function fromNow(seconds: string | number | undefined, nowMs: number): string {
  const distance = Math.round(Number(seconds ?? 0) - nowMs / 1000);
  return distance >= 0 ? `in ${duration(distance)}` : `${duration(-distance)} ago`;
}

/** `2d3h`, `1h5m`, `41s`. */
export function duration(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const;
  const largest = units.findIndex(([, size]) => seconds >= size);
  if (largest < 0) return '0s';
  return units
    .slice(largest, largest + 2)
    .map(([unit, size], index) => ({
      unit,
      count:
        index === 0 ? Math.floor(seconds / size) : Math.floor((seconds % (units[largest]?.[1] ?? 1)) / size),
    }))
    .filter(({ count }) => count > 0)
    .map(({ unit, count }) => `${count}${unit}`)
    .join('');
}

/** The latest instant that JavaScript knows, in milliseconds. */
const latest = 8.64e15;
