import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../base/faults/fault.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { checkEntry, type UncheckedEntry } from './check-entry.js';

const trustDomain = parseTrustDomain('shop.example');
const good: UncheckedEntry = {
  spiffeId: 'spiffe://shop.example/web',
  parentId: 'spiffe://shop.example/node/demo',
  selectors: [
    { type: 'unix', value: 'uid:2' },
    { type: 'unix', value: 'uid:1' },
    { type: 'unix', value: 'uid:2' },
  ],
};

test('a good entry comes out canonical, with the defaults filled in', () => {
  const checked = checkEntry(
    { ...good, dnsNames: ['web', 'a.b', 'web'], federatesWith: ['spiffe://b.example', 'a.example'] },
    trustDomain,
  );
  assert.deepEqual(checked, {
    spiffeId: 'spiffe://shop.example/web',
    parentId: 'spiffe://shop.example/node/demo',
    selectors: [
      { type: 'unix', value: 'uid:1' },
      { type: 'unix', value: 'uid:2' },
    ],
    x509SvidTtl: 0,
    jwtSvidTtl: 0,
    dnsNames: ['web', 'a.b'],
    federatesWith: ['a.example', 'b.example'],
    admin: false,
    downstream: false,
    hint: '',
    storeSvid: false,
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
    expiresAt: 0,
  });
});

const id = (path: string) => `spiffe://shop.example${path}`;
const refused: readonly [string, string, Partial<UncheckedEntry>][] = [
  ['S1 a path that climbs', 'IDN0107', { spiffeId: id('/a/../b') }],
  ['S1 percent-encoding', 'IDN0105', { spiffeId: id('/%2e%2e') }],
  ['S1 a trailing newline', 'IDN0105', { spiffeId: id('/web\n') }],
  ['S3 the ID of the server', 'REG0202', { spiffeId: id('/spire/server') }],
  ['S3 the ID of an agent', 'REG0202', { spiffeId: id('/spire/agent/join_token/x') }],
  ['S3 anything reserved', 'REG0202', { spiffeId: id('/spire') }],
  ['an ID without a path', 'IDN0109', { spiffeId: 'spiffe://shop.example' }],
  ['ID-11 an ID of more than 2048 bytes', 'IDN0108', { spiffeId: id(`/${'a'.repeat(2028)}`) }],
  ['a foreign identity', 'REG0201', { spiffeId: 'spiffe://other.example/web' }],
  ['a trust domain that only starts the same', 'REG0201', { spiffeId: 'spiffe://shop.example.org/web' }],
  ['a foreign parent', 'REG0201', { parentId: 'spiffe://other.example/node' }],
  ['no parent', 'IDN0101', { parentId: '' }],
  [
    'a stored SVID for several stores',
    'REG0213',
    {
      storeSvid: true,
      selectors: [
        { type: 'a', value: 'b' },
        { type: 'b', value: 'b' },
      ],
    },
  ],
  ['no selectors', 'REG0203', { selectors: [] }],
  ['a selector without a value', 'REG0101', { selectors: [{ type: 'unix', value: '' }] }],
  ['a negative lifetime', 'REG0204', { x509SvidTtl: -1 }],
  ['half a second', 'REG0204', { jwtSvidTtl: 0.5 }],
  ['an upper-case DNS name', 'REG0205', { dnsNames: ['Web.example'] }],
  ['a wildcard inside', 'REG0205', { dnsNames: ['web.*.example'] }],
  ['an IP address as a DNS name', 'REG0205', { dnsNames: ['10.0.0.1'] }],
  ['a SPIFFE ID as a DNS name', 'REG0205', { dnsNames: ['spiffe://shop.example/web'] }],
  ['a label of 64 characters', 'REG0205', { dnsNames: ['a'.repeat(64)] }],
  ['an empty label', 'REG0205', { dnsNames: ['a..b'] }],
  ['a DNS name with a line break', 'REG0205', { dnsNames: ['web\n'] }],
  ['an entry ID with a slash', 'REG0207', { id: 'a/b' }],
  ['federating with itself', 'REG0208', { federatesWith: ['shop.example'] }],
  ['federating with a path', 'IDN0103', { federatesWith: ['other.example/x'] }],
  ['a time before 1970', 'REG0209', { expiresAt: -1 }],
];

for (const [what, code, change] of refused) {
  test(`refused: ${what}`, () => {
    const codeOf = () => {
      try {
        checkEntry({ ...good, ...change }, trustDomain);
        return 'accepted';
      } catch (error) {
        return error instanceof Fault ? error.code : String(error);
      }
    };
    assert.equal(codeOf(), code);
  });
}

test('accepted: the longest ID, wildcards, paths that only look reserved', () => {
  for (const change of [
    { spiffeId: id(`/${'a'.repeat(2048 - 22)}`) },
    { spiffeId: id('/spire-like/x') },
    { spiffeId: id('/Spire/server') },
    { parentId: id('/spire/server') },
    { dnsNames: ['*.shop.example', 'xn--bcher-kva.example', '1.example'] },
  ]) {
    checkEntry({ ...good, ...change }, trustDomain);
  }
});

test('WA-10: a hint of 1024 bytes is accepted, and one of more is refused', () => {
  const check = (hint: string) => checkEntry({ ...good, hint }, trustDomain);
  check('x'.repeat(1024));
  assert.throws(
    () => check(`${'x'.repeat(1023)}ü`),
    (error) => error instanceof Fault && error.code === 'REG0206',
  );
});
