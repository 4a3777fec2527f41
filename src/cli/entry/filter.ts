import type { Command } from 'commander';
import { parseSelector } from '../../registration/selector.js';
import { idMessage } from '../admin.js';
import { several } from '../several.js';
import type { EntryFilter } from './message.js';

export interface FilterOptions {
  spiffeId?: string;
  parentId?: string;
  selector?: string[];
  federatesWith?: string[];
  hint?: string;
  downstream?: true;
}

/** The options that choose entries; an entry must fit all that are given. */
export function withEntryFilter(command: Command): Command {
  return command
    .option('--spiffe-id <id>', 'only entries that give this identity')
    .option('--parent-id <id>', 'only entries under this parent')
    .option('--selector <type:value>', 'only entries with this selector; may be given several times', several)
    .option('--federates-with <name>', 'only entries that federate with this trust domain', several)
    .option('--hint <text>', 'only entries with this hint')
    .option('--downstream', 'only entries of servers below this one');
}

/** Throws IDN01xx, REG01xx for what cannot be meant. */
export function entryFilterOf(options: FilterOptions): EntryFilter {
  const { spiffeId, parentId, selector, federatesWith, hint, downstream } = options;
  return {
    ...(spiffeId !== undefined && { by_spiffe_id: idMessage(spiffeId) }),
    ...(parentId !== undefined && { by_parent_id: idMessage(parentId) }),
    ...(selector && { by_selectors: { selectors: selector.map(parseSelector), match: 'MATCH_SUPERSET' } }),
    ...(federatesWith && { by_federates_with: { trust_domains: federatesWith, match: 'MATCH_SUPERSET' } }),
    ...(hint !== undefined && { by_hint: { value: hint } }),
    ...(downstream && { by_downstream: { value: true } }),
  };
}
