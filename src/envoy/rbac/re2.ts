import { fold, isPlain, percentEncoded, spellingsOf, symbolsOf } from '../../policy/diagram/symbol.js';
import type { CallerPattern } from '../../policy/language/caller-pattern.js';
import type { PathPattern } from '../../policy/language/path-pattern.js';
import type { Segment } from '../../policy/language/segment.js';
import type { TrustDomain } from '../../spiffe/id.js';

// Regular expressions for Envoy's RE2, which matches the whole text. Nothing that a user wrote gets in unquoted.

/** A text that stands for itself. */
export function quote(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

/** No class below holds `,`: Envoy joins the URI SANs of a certificate with it. Nor `/`: no segment spans two. */
const idCharacter = '[A-Za-z0-9._-]';
/** Neither `.` nor `..` (SPIFFE-ID §2.2). */
const idSegment = `(?:[A-Za-z0-9_-]${idCharacter}*|\\.[A-Za-z0-9_-]${idCharacter}*|\\.\\.${idCharacter}+)`;

/** One valid SPIFFE ID with a path, of one of these trust domains. */
export function oneIdOf(trustDomains: readonly TrustDomain[]): string {
  return `spiffe://(?:${trustDomains.map(quote).join('|')})(?:/${idSegment})+`;
}

/** The callers of a pattern; stands behind the guard, which has made sure that there is one valid ID. */
export function callerRegex({ trustDomain, segments }: CallerPattern): string {
  const path = segments.map((segment) => segmentRegex(segment, idCharacter, quote));
  return `spiffe://${quote(trustDomain)}${path.join('')}`;
}

const query = '(?:\\?.*)?';
const pathCharacter = '[^/?]';

/** The paths of an allow, with any query. */
export function allowedPathRegex({ segments }: PathPattern): string {
  const [only, another] = segments;
  if (only?.kind === 'rest' && !another) return `(?:/${pathCharacter}*)+${query}`;
  return `${segments.map((segment) => segmentRegex(segment, pathCharacter, quote)).join('')}${query}`;
}

/** The paths that a deny's pattern itself means, with any query; those that are not plain come on top. */
export function deniedPathRegex({ segments }: PathPattern): string {
  const bare = isEmpty(segments.at(-1)) && segments.length > 1 ? segments.slice(0, -1) : segments;
  return `(?i)${bare.map((segment) => segmentRegex(segment, pathCharacter, quoteFolded)).join('')}/?${query}`;
}

/** Every plain path, with any query: see `isPlain`. */
export const plainPathRegex = plainPath();

function segmentRegex(segment: Segment, character: string, quoted: (text: string) => string): string {
  if (segment.kind === 'rest') return `(?:/${character}*)*`;
  if (segment.kind === 'one') return `/${character}+`;
  if (segment.kind === 'literal') return `/${quoted(segment.text)}`;
  return `/${quoted(segment.prefix)}${character}*${quoted(segment.suffix)}`;
}

/** Under `(?i)`: what may stand as it is or encoded matches both. */
function quoteFolded(text: string): string {
  return symbolsOf(text)
    .map((symbol) => spellingsOf(fold(symbol)).map(quote))
    .map((spellings) => (spellings.length === 1 ? spellings[0] : `(?:${spellings.join('|')})`))
    .join('');
}

function plainPath(): string {
  const codes = Array.from({ length: 256 }, (_, code) => code);
  const raw = codes
    .map((code) => String.fromCharCode(code))
    .filter((character) => isPlain(character) && character !== '.');
  const encoded = codes
    .map((code) => percentEncoded(String.fromCharCode(code)))
    .filter((symbol) => isPlain(symbol) && symbol !== '%20');
  const end = `[${raw.map((character) => `\\x${hex(character)}`).join('')}]|${encodedRegex(encoded)}`;
  const segment = `(?:${end}|\\.|%20)*(?:${end})`;
  return `/(?:${segment}(?:/${segment})*/?)?${query}`;
}

/** `%(?:2[01]|…)`, by the first digit; digits in both cases. */
function encodedRegex(symbols: readonly string[]): string {
  const byFirst = new Map<string, string>();
  for (const [, first = '', second = ''] of symbols.map((symbol) => [...symbol])) {
    byFirst.set(first, `${byFirst.get(first) ?? ''}${bothCases(second)}`);
  }
  return `%(?:${[...byFirst].map(([first, seconds]) => `[${bothCases(first)}][${seconds}]`).join('|')})`;
}

function bothCases(digit: string): string {
  const lower = digit.toLowerCase();
  return lower === digit ? digit : `${digit}${lower}`;
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0');
}

function isEmpty(segment: Segment | undefined): boolean {
  return segment?.kind === 'literal' && segment.text === '';
}
