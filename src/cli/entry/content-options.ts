import type { Command } from 'commander';
import { fault } from '../../base/faults/fault.js';
import type { UncheckedEntry } from '../../registration/check-entry.js';
import { defaultHint } from '../../registration/entry.js';
import { parseSelector } from '../../registration/selector.js';
import { instantMs } from '../instant-option.js';
import { several } from '../several.js';
import { wholeSeconds } from '../whole-seconds.js';

/** What the options say about an entry; `false` stands for an option that takes something away. */
export interface ContentOptions {
  spiffeId?: string;
  parentId?: string;
  selector?: string[];
  x509SvidTtl?: number | false;
  jwtSvidTtl?: number | false;
  dnsName?: string[] | false;
  federatesWith?: string[] | false;
  hint?: string | false;
  default?: boolean;
  admin?: boolean;
  downstream?: boolean;
  storeSvid?: boolean;
  expiresAt?: number | false;
}

/** The options for what an entry may say beside its identity, parent and selectors. */
export function withContentOptions(command: Command): Command {
  return command
    .option('--x509-svid-ttl <seconds>', 'how long its X.509-SVIDs last', wholeSeconds)
    .option('--jwt-svid-ttl <seconds>', 'how long its JWT-SVIDs last', wholeSeconds)
    .option('--dns-name <name>', 'a DNS name in its certificates; may be given several times', several)
    .option(
      '--federates-with <name>',
      'a trust domain whose bundle it is to have; may be given several times',
      several,
    )
    .option('--hint <text>', 'a word that the workload can choose by when it has several identities')
    .option('--default', 'the identity that a workload with several gets when it names none')
    .option('--admin', 'its SVID may do what operators may do')
    .option('--downstream', 'its SVID belongs to a server below this one')
    .option('--store-svid', "its SVID is for a store of secrets that SPIRE's agents write to")
    .option('--expires-at <instant>', 'when it ends, as 2027-01-31T18:00:00Z or a date', instantSeconds);
}

/** Options that take away again what those of `withContentOptions` give. */
export function withoutContentOptions(command: Command): Command {
  return command
    .option('--no-x509-svid-ttl', "the server's default again")
    .option('--no-jwt-svid-ttl', "the server's default again")
    .option('--no-dns-name', 'no DNS names')
    .option('--no-federates-with', 'no other trust domain')
    .option('--no-hint', 'no hint, and no default identity')
    .option('--no-admin', 'no rights of operators')
    .option('--no-downstream', 'no server below this one')
    .option('--no-store-svid', 'its SVID is for workloads')
    .option('--no-expires-at', 'it does not end');
}

/** The fields that were given. Throws REG01xx, REG0211. */
export function contentOf(options: ContentOptions): Partial<UncheckedEntry> {
  const { spiffeId, parentId, selector, x509SvidTtl, jwtSvidTtl, dnsName, federatesWith, admin } = options;
  const { downstream, storeSvid, expiresAt } = options;
  const hint = hintOf(options);
  return {
    ...(spiffeId !== undefined && { spiffeId }),
    ...(parentId !== undefined && { parentId }),
    ...(selector && { selectors: selector.map(parseSelector) }),
    ...(x509SvidTtl !== undefined && { x509SvidTtl: x509SvidTtl || 0 }),
    ...(jwtSvidTtl !== undefined && { jwtSvidTtl: jwtSvidTtl || 0 }),
    ...(dnsName !== undefined && { dnsNames: dnsName || [] }),
    ...(federatesWith !== undefined && { federatesWith: federatesWith || [] }),
    ...(hint !== undefined && { hint }),
    ...(admin !== undefined && { admin }),
    ...(downstream !== undefined && { downstream }),
    ...(storeSvid !== undefined && { storeSvid }),
    ...(expiresAt !== undefined && { expiresAt: expiresAt || 0 }),
  };
}

function hintOf({ hint, default: isDefault }: ContentOptions): string | undefined {
  if (!isDefault) return hint === false ? '' : hint;
  if (typeof hint === 'string' && hint !== defaultHint) throw fault('REG0211', { hint });
  return defaultHint;
}

const instantSeconds = (given: string): number => instantMs(given) / 1000;
