import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { access, type Role } from '../../src/server/access.js';
import { isOfLaterIssue } from '../support/access-contract.js';

const page = readFileSync(new URL('../../../docs/reference/server-api.md', import.meta.url), 'utf8');

const words: ReadonlyMap<string, string> = new Map([
  ['anyone', 'anybody'],
  ['admin,local', 'operators'],
  ['admin,agent,local', 'operators and agents'],
  ['agent', 'agents'],
  ['downstream', 'downstream servers'],
  ['local', 'the admin socket'],
]);

test('docs/reference/server-api.md says of every method who may call it, and of each that is not served yet that it is not', () => {
  const written = [...page.matchAll(/^\| `([\w.]+)` \| ([\w ]+) \| (.+) \|$/gm)].flatMap(
    ([, service, who, methods = '']) => methods.split(', ').map((method) => `${service} ${who}: ${method}`),
  );
  const expected = Object.entries(access).flatMap(([service, table]) =>
    Object.entries(table).map(([method, roles]) => {
      const star = isOfLaterIssue(service, method) ? '\\*' : '';
      return `${service} ${whoOf(roles)}: ${method}${star}`;
    }),
  );
  assert.deepEqual(written.sort(), expected.sort());
});

function whoOf(roles: readonly Role[]): string {
  const key = [...roles].sort().join();
  return words.get(key) ?? assert.fail(`no words for ${key}`);
}
