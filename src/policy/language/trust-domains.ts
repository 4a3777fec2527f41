import { diagnostic, type Report } from '../../base/diagnostics/diagnostic.js';
import { Fault } from '../../base/faults/fault.js';
import { asText, readFields } from '../../base/yaml/fields.js';
import type { Tree } from '../../base/yaml/tree.js';
import { parseTrustDomain, type TrustDomain } from '../../spiffe/id.js';
import { type Definition, readDefinitions } from './names.js';
import type { PolicySections } from './policy-file.js';

/** `trustDomains:`, the trust domains that a policy speaks of, each under a name of its own. */
export function readTrustDomains(files: readonly PolicySections[], report: Report): Map<string, TrustDomain> {
  const trustDomains = new Map<string, TrustDomain>();
  const firstNamed = new Map<TrustDomain, Definition>();
  for (const definition of readDefinitions(files, 'trustDomains', 'a trust domain', report).values()) {
    const fields = readFields(
      definition.value,
      'a trust domain',
      { id: 'required', aliases: 'later' },
      report,
    );
    const trustDomain = readId(fields?.id, report);
    trustDomains.set(definition.name, trustDomain ?? unreadable);
    if (trustDomain === undefined) continue;
    const earlier = firstNamed.get(trustDomain);
    if (earlier) {
      const related = [{ at: earlier.nameAt, label: 'its other name' }];
      report(diagnostic('POL0207', { trustDomain, name: earlier.name }, definition.nameAt, { related }));
    } else firstNamed.set(trustDomain, definition);
  }
  return trustDomains;
}

/** Stands in for what has been reported, so that its name is not called unknown; no policy comes of it. */
const unreadable = parseTrustDomain('unreadable');

function readId(tree: Tree | undefined, report: Report): TrustDomain | undefined {
  const text = asText(tree, 'the `id` of a trust domain', report);
  if (text === undefined || !tree) return;
  try {
    return parseTrustDomain(text);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report(diagnostic('POL0107', { problem: error.message }, tree.at, { helps: [error.hint] }));
    return;
  }
}
