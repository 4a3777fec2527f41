import type { SpiffeId, TrustDomain } from '../../spiffe/id.js';
import { parseSegment, type Segment } from './segment.js';

/** The workloads that a rule speaks of: paths under one named trust domain. */
export interface CallerPattern {
  /** As written, `prod:/ns/shop/sa/web`. */
  readonly text: string;
  readonly trustDomain: TrustDomain;
  readonly segments: readonly Segment[];
  /** The one SPIFFE ID that it means, if it has no star. */
  readonly exact: SpiffeId | undefined;
}

/** Reads the part after `prod:`, or says what is wrong with it. */
export function parseCallerPath(path: string): readonly Segment[] | { reason: string } {
  if (!path.startsWith('/')) return { reason: 'what follows the colon must start with `/`' };
  const segments: Segment[] = [];
  for (const part of path.slice(1).split('/')) {
    if (part === '') return { reason: 'it has an empty segment' };
    if (part === '.' || part === '..') return { reason: `SPIFFE IDs have no segment \`${part}\`` };
    const bad = /[^A-Za-z0-9._*-]/u.exec(part);
    if (bad) return { reason: `SPIFFE IDs have no \`${bad[0]}\`` };
    const segment = parseSegment(part);
    if (!segment) return { reason: `the segment \`${part}\` has more than one star` };
    if (segment.kind === 'rest' && segments.at(-1)?.kind === 'rest')
      return { reason: '`**` stands twice in a row' };
    segments.push(segment);
  }
  return segments;
}
