import { fault } from '../base/faults/fault.js';
import type { EntryContent } from '../registration/entry.js';

/** An entry can only federate with trust domains whose bundle the server has, and it has none yet. Throws SRV0304. */
export function checkFederation<Content extends Partial<EntryContent>>(content: Content): Content {
  const [unknown] = content.federatesWith ?? [];
  if (unknown !== undefined) throw fault('SRV0304', { trustDomain: unknown });
  return content;
}
