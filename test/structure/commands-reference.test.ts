import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { exitCodes } from '../../src/cli/cli.js';
import { commands } from '../../src/cli/commands.js';
import { transcript } from '../support/transcript.js';

function pageOf(name: string): string {
  return readFileSync(new URL(`../../../docs/reference/${name}`, import.meta.url), 'utf8');
}

test('docs/reference/commands.md lists every command with what it does, and no other', () => {
  const listed = [...pageOf('commands.md').matchAll(/^\| `plastron ([a-z0-9 -]+)` \| (.+) \|$/gm)].map(
    ([, words, summary]) => [words ?? '', summary ?? ''] as const,
  );
  assert.deepEqual(new Map(listed), new Map(commands.map(({ words, summary }) => [words, summary])));
});

test('docs/reference/output.md names every kind of document that a command prints', () => {
  const page = pageOf('output.md');
  const kinds = [
    ...['EntryList', 'Entry', 'EntryCount', 'EntryApply', 'EntryDeletion', 'NodeList', 'Node', 'NodeCount'],
    ...[
      'NodeEviction',
      'NodeBan',
      'JoinToken',
      'BundleList',
      'Bundle',
      'BundleDeletion',
      'X509Svid',
      'JwtSvid',
    ],
    ...['ServerHealth', 'AgentHealth', 'IdentityAnswer', 'CallAnswer'],
  ];
  for (const kind of kinds) assert.ok(page.includes(`\`${kind}\``), kind);
});

test('docs/reference/exit-codes.md has every exit code', () => {
  const listed = [...pageOf('exit-codes.md').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(listed, Object.values(exitCodes));
});

test('docs/reference/agent-outages.md has the limits of agent health, with their defaults, and its exit codes', async (t) => {
  const page = pageOf('agent-outages.md');
  const listed = [...page.matchAll(/^\| `(--\w+-[a-z-]+) [A-Z]+` \| (\w+) \|/gm)].map(([, flag, limit]) => [
    flag,
    limit,
  ]);
  const help = (await transcript(t, {}, ['agent health --help'])).split(/^ +(?=-)/m);
  const limits = help.flatMap((option) => {
    const [, flag] = /^(--(?:min|max)-[a-z-]+)/.exec(option) ?? [];
    return flag === undefined ? [] : [[flag, /default: (\d+)/.exec(option)?.[1] ?? 'none']];
  });
  assert.equal(limits.length, 3);
  assert.deepEqual(listed, limits);
  const codes = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  const { ok, negative, guardTripped, unreachable } = exitCodes;
  assert.deepEqual(codes, [ok, negative, guardTripped, unreachable]);
});
