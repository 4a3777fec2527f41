import { Command } from 'commander';
import { adminSocketOption, type EntryMessage, idText, listEntries, withServer } from './admin.js';
import type { Cli } from './cli.js';
import { formatTable } from './voice.js';

/** `plastron entry list`: every registration entry as a table. */
export function entryList(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .action(async ({ adminSocket }: { adminSocket: string }) => {
      const entries = await withServer(adminSocket, listEntries);
      const rows = entries.map(rowOf).sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
      const head = ['SPIFFE ID', 'PARENT', 'SELECTORS', 'TTL', 'ID'];
      for (const line of formatTable(head, rows)) cli.voice.print(line);
    });
}

function rowOf(entry: EntryMessage): string[] {
  const selectors = (entry.selectors ?? []).map(({ type, value }) => `${type}:${value}`).join(' ');
  const ttl = entry.x509_svid_ttl ? `${entry.x509_svid_ttl}s` : 'default';
  return [idText(entry.spiffe_id), idText(entry.parent_id), selectors, ttl, entry.id ?? ''];
}
