import { type Command, Option } from 'commander';
import { parseSelector } from '../../registration/selector.js';
import { several } from '../several.js';
import type { AgentFilter } from './message.js';

export interface FilterOptions {
  attestation?: string;
  selector?: string[];
  banned?: boolean;
  canReattest?: boolean;
  expiresBefore?: string;
}

/** The options that choose nodes; a node must fit all that are given. */
export function withNodeFilter(command: Command): Command {
  return command
    .option('--attestation <type>', 'only nodes that attested in this way, as join_token')
    .option('--selector <type:value>', 'only nodes with this selector; may be given several times', several)
    .addOption(new Option('--banned', 'only banned nodes'))
    .addOption(new Option('--no-banned', 'only nodes that are not banned'))
    .addOption(new Option('--can-reattest', 'only nodes that can attest again by themselves'))
    .addOption(new Option('--no-can-reattest', 'only nodes that cannot'))
    .option('--expires-before <instant>', 'only nodes whose SVID ends before, as 2027-01-31T18:00:00Z');
}

/** Throws REG01xx for what is no selector. */
export function nodeFilterOf(options: FilterOptions): AgentFilter {
  const { attestation, selector, banned, canReattest, expiresBefore } = options;
  return {
    ...(attestation !== undefined && { by_attestation_type: attestation }),
    ...(selector && {
      by_selector_match: { selectors: selector.map(parseSelector), match: 'MATCH_SUPERSET' },
    }),
    ...(banned !== undefined && { by_banned: { value: banned } }),
    ...(canReattest !== undefined && { by_can_reattest: { value: canReattest } }),
    ...(expiresBefore !== undefined && { by_expires_before: expiresBefore }),
  };
}
