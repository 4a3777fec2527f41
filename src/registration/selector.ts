import { fault } from '../base/faults/fault.js';
import type { Selector } from './entry.js';

/** Reads `unix:uid:1000` as type `unix` and value `uid:1000`; nothing is trimmed. Throws REG0101 to REG0103. */
export function parseSelector(text: string): Selector {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) throw fault('REG0101', { selector: text });
  return checkSelector({ type: text.slice(0, colon), value: text.slice(colon + 1) });
}

/** For selectors that arrive as type and value. Throws REG0101 to REG0103. */
export function checkSelector({ type, value }: Selector): Selector {
  const selector = `${type}:${value}`;
  if (type === '' || value === '' || type.includes(':')) throw fault('REG0101', { selector });
  if (/[\p{Cc}\p{Cs}]/u.test(selector)) throw fault('REG0103', { selector });
  if (Buffer.byteLength(selector) > maxSelectorBytes) {
    throw fault('REG0102', { bytes: Buffer.byteLength(selector), max: maxSelectorBytes });
  }
  return { type, value };
}

/** How a selector is written, and the key under which two are the same. */
export function formatSelector({ type, value }: Selector): string {
  return `${type}:${value}`;
}

/** In one order and without repetitions, so that two sets are equal exactly when their lists are. */
export function canonicalSelectors(selectors: readonly Selector[]): Selector[] {
  const byText = new Map(selectors.map((selector) => [formatSelector(selector), selector]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, selector]) => selector);
}

const maxSelectorBytes = 4096;
