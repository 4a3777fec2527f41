import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { placeOf } from '../base/source.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { checkEntry } from './check-entry.js';
import { isEntriesFile, loadEntries } from './entries-file.js';
import { entryFieldRules } from './entry-fields.js';
import { parseSelector } from './selector.js';

const trustDomain = parseTrustDomain('shop.example');
const load = (...texts: string[]) =>
  loadEntries(
    texts.map((text, i) => ({ path: `${i + 1}.yaml`, text })),
    trustDomain,
  );
const problems = (...texts: string[]) =>
  load(...texts).diagnostics.map(({ code, at }) => `${code} ${placeOf(at)}`);

const full = `version: 1
entries:
  - name: web
    spiffeId: spiffe://shop.example/web
    parentId: spiffe://shop.example/node/demo
    selectors: [unix:uid:2, unix:uid:1]
    x509SvidTtl: 60
    jwtSvidTtl: 30
    dnsNames: [web, a.b]
    federatesWith: [other.example]
    admin: true
    downstream: true
    hint: internal
    storeSvid: true
    disableX509SvidPrefetch: true
    jwtSvidIncludeJti: true
    expiresAt: 2000000000
`;
const entry = (path: string, more = '') => `
  - spiffeId: spiffe://shop.example${path}
    parentId: spiffe://shop.example/node/demo
    selectors: unix:uid:1${more}`;
const file = (...entries: string[]) => `version: 1\nentries:${entries.join('')}\n`;

test('every field is read, and the entry is the very one that the API would make of it', () => {
  const { entries, diagnostics } = load(full);
  assert.deepEqual(diagnostics, []);
  const same = checkEntry(
    {
      id: 'applied-web',
      spiffeId: 'spiffe://shop.example/web',
      parentId: 'spiffe://shop.example/node/demo',
      selectors: ['unix:uid:2', 'unix:uid:1'].map(parseSelector),
      x509SvidTtl: 60,
      jwtSvidTtl: 30,
      dnsNames: ['web', 'a.b'],
      federatesWith: ['other.example'],
      admin: true,
      downstream: true,
      hint: 'internal',
      storeSvid: true,
      disableX509SvidPrefetch: true,
      jwtSvidIncludeJti: true,
      expiresAt: 2_000_000_000,
    },
    trustDomain,
  );
  assert.deepEqual(
    entries?.map(({ content }) => content),
    [same],
  );
  assert.equal(entries?.[0] && placeOf(entries[0].at), '1.yaml:3:5');
});

test('the default identity is a mark of its own, which is the hint `default` and can stand beside no other hint', () => {
  const hints = (more: string) => load(file(entry('/web', more))).entries?.map(({ content }) => content.hint);
  assert.deepEqual(hints('\n    default: true'), ['default']);
  assert.deepEqual(hints('\n    default: true\n    hint: default'), ['default']);
  assert.deepEqual(hints('\n    default: false\n    hint: internal'), ['internal']);
  const both = file(entry('/web', '\n    hint: internal\n    default: true'));
  assert.deepEqual(problems(both), ['REG0211 1.yaml:6:11']);
  assert.deepEqual(problems(file(entry('/web', '\n    default: yes'))), ['POL0103 1.yaml:6:14']);
});

test('the end of an entry is an instant, a date or seconds', () => {
  const ends = ['2033-05-18T03:33:20Z', '2033-05-18', '2000000000'].map(
    (text) => load(file(entry('/web', `\n    expiresAt: ${text}`))).entries?.[0]?.content.expiresAt,
  );
  assert.deepEqual(ends, [2_000_000_000, 1_999_987_200, 2_000_000_000]);
  assert.deepEqual(problems(file(entry('/web', '\n    expiresAt: soon'))), ['POL0103 1.yaml:6:16']);
  assert.deepEqual(problems(file(entry('/web', '\n    expiresAt: -1'))), ['REG0209 1.yaml:6:16']);
});

test('the owner of a file is part of the IDs of its entries', () => {
  const owned = file(entry('/a', '\n    name: a'), entry('/b')).replace(
    'entries:',
    'owner: shop-team\nentries:',
  );
  const { entries = [], prefixes } = load(owned, file(entry('/c')));
  assert.deepEqual(prefixes, ['applied.shop-team.', 'applied-']);
  const [a, b, c] = entries.map(({ content }) => content.id);
  assert.equal(a, 'applied.shop-team.a');
  assert.match(b ?? '', /^applied\.shop-team\.[0-9a-f]{32}$/);
  assert.match(c ?? '', /^applied-[0-9a-f]{32}$/);
  assert.deepEqual(problems(owned.replace('shop-team', 'Shop.Team')), ['REG0212 1.yaml:2:8']);
});

test('without a trust domain it is that of the first entry, and all others must be in it', () => {
  const text = file(entry('/a'), entry('/b').replace('shop.example/b', 'other.example/b'));
  const { diagnostics } = loadEntries([{ path: '1.yaml', text }]);
  assert.deepEqual(
    diagnostics.map(({ code, at }) => `${code} ${placeOf(at)}`),
    ['REG0201 1.yaml:6:15'],
  );
});

test('a file of entries is known by its text, also when it is no YAML', () => {
  const is = (text: string) => isEntriesFile({ path: 'x.yaml', text });
  for (const text of [full, '\ufeffentries: []', '"entries" : []', 'version: 1\nentries:\n  - ['])
    assert.ok(is(text), text);
  for (const text of ['version: 1\nrules: []', 'rules:\n  entries: 1', '# entries:'])
    assert.ok(!is(text), text);
});

test('several files are one list', () => {
  assert.equal(load(file(entry('/a')), file(entry('/b'))).entries?.length, 2);
});

test('every mistake is reported with its place, and then nothing is read', () => {
  const text = file(
    entry('/web', '\n    selecters: x\n    x509SvidTtl: 1.5\n    admin: "yes"'),
    entry('/../x', '\n    name: a/b'),
  );
  assert.deepEqual(problems(text), [
    'POL0101 1.yaml:6:5',
    'REG0204 1.yaml:7:18',
    'POL0103 1.yaml:8:12',
    'IDN0107 1.yaml:9:15',
    'REG0207 1.yaml:12:11',
  ]);
  assert.equal(load(text).entries, undefined);
});

test('an entry or a name that stands twice is refused, across files too, and both places are shown', () => {
  assert.deepEqual(problems(file(entry('/a')), file(entry('/b'), entry('/a'))), ['REG0302 2.yaml:6:5']);
  const named = (path: string) => entry(path, '\n    name: x');
  assert.deepEqual(problems(file(named('/a'), named('/b'))), ['REG0302 1.yaml:7:5']);
  const [twice] = load(file(named('/a'), named('/b'))).diagnostics;
  assert.equal(twice?.related[0] && placeOf(twice.related[0].at), '1.yaml:3:5');
});

test('what is not version 1, or no list, or no YAML without surprises, is refused', () => {
  assert.deepEqual(problems('version: 2\nentries: []\n'), ['REG0301 1.yaml:1:10']);
  assert.deepEqual(problems('entries: []\n'), ['POL0102 1.yaml:1:1']);
  assert.deepEqual(problems('version: 1\nentries: {}\n'), ['POL0103 1.yaml:2:10']);
  assert.deepEqual(problems('version: 1\nentries: &a []\n'), ['POL0003 1.yaml:2:13']);
  // S34
  assert.deepEqual(problems(file(entry('/a', '\n    __proto__: {}'))), ['POL0005 1.yaml:6:5']);
});

test('docs/reference/entries.md has every field, and its example is read', () => {
  const page = readFileSync(new URL('../../../docs/reference/entries.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, field]) => field);
  assert.deepEqual(documented.sort(), ['name', ...Object.keys(entryFieldRules)].sort());
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  assert.equal(load(example).entries?.length, 1);
});
