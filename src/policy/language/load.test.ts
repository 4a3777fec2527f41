import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findings, policyOf } from '../../../test/support/policy.js';
import { policyText } from '../../../test/support/random-policy.js';
import { loadPolicy } from './load.js';

const head = `version: 1
trustDomains:
  shop: { id: shop.example }
  partner: { id: partner.example }
callers:
  web: shop:/web
  team: [web, shop:/ns/*/sa/web]
services:
  orders: { identity: shop:/orders, protocol: http }
`;
const rule = (rest: string) => `${head}rules:\n  - { name: r, to: orders, ${rest} }\n`;
const tested = (rest: string) => `${rule('from: web, allow: GET /a')}tests:\n  - { ${rest} }\n`;

/** What stands in for the part of the file that the case is about, and what must be found. */
const wrong: [string, string, ...string[]][] = [
  ['an unknown section', `${head}rulez: []\n`, 'POL0101 p.yaml:10 "rulez"'],
  ['no version', head.replace('version: 1\n', ''), 'POL0102 p.yaml:1 "trustDomains:"'],
  ['another version', head.replace('version: 1', 'version: 2'), 'POL0104 p.yaml:1 "2"'],
  ['a version as text', head.replace('version: 1', "version: '1'"), `POL0104 p.yaml:1 "'1'"`],
  ['a list instead of a policy', '- a\n', 'POL0103 p.yaml:1 "- a"'],
  ['a section of a later version', `${head}guardrails: []\n`, 'POL0105 p.yaml:10 "guardrails"'],
  [
    'a trust domain that is none',
    head.replace('shop.example', 'Shop.example'),
    'POL0107 p.yaml:3 "Shop.example"',
  ],
  ['a trust domain twice', head.replace('partner.example', 'shop.example'), 'POL0207 p.yaml:4 "partner"'],
  [
    'an alias of a trust domain',
    head.replace('{ id: partner.example }', '{ id: partner.example, aliases: [] }'),
    'POL0105 p.yaml:4 "aliases"',
  ],
  [
    'a name with a space',
    head.replace('  web: shop', '  a web: shop').replace('[web', '[shop:/x'),
    'POL0106 p.yaml:6 "a web"',
  ],
  [
    'a caller that is a service too',
    head.replace('  web: shop:/web', '  orders: shop:/web').replace('[web', '[orders'),
    'POL0204 p.yaml:6 "orders"',
  ],
  [
    'a chain of callers without end',
    `${head.replace('  web:', `${Array.from({ length: 6000 }, (_, n) => `  c${n}: c${n + 1}`).join('\n')}\n  c6000: web\n  web:`)}`,
    ...Array.from({ length: 187 }, (_, n) => `POL0208 p.yaml:${37 + 32 * n} "c${32 * n + 32}"`),
  ],
  ['a caller that contains itself', head.replace('[web,', '[team,'), 'POL0205 p.yaml:7 "team"'],
  [
    'a SPIFFE ID instead of a name',
    head.replace('web: shop:/web', 'web: spiffe://shop.example/web'),
    'POL0108 p.yaml:6 "spiffe://shop.example/web"',
  ],
  [
    'a caller by attributes',
    head.replace('web: shop:/web', 'web: { env: prod }'),
    'POL0105 p.yaml:6 "{ env: prod }"',
  ],
  ['an unknown trust domain', head.replace('web: shop:/web', 'web: shp:/web'), 'POL0203 p.yaml:6 "shp:/web"'],
  [
    'a trust domain as a wildcard',
    head.replace('web: shop:/web', "web: '*:/web'"),
    `POL0203 p.yaml:6 "'*:/web'"`,
  ],
  ['a caller without a path', head.replace('web: shop:/web', "web: 'shop:'"), `POL0108 p.yaml:6 "'shop:'"`],
  [
    'a character that SPIFFE does not have',
    head.replace('web: shop:/web', 'web: shop:/env:dev'),
    'POL0108 p.yaml:6 "shop:/env:dev"',
  ],
  [
    'two stars in a segment',
    head.replace('web: shop:/web', 'web: shop:/a*b*c'),
    'POL0108 p.yaml:6 "shop:/a*b*c"',
  ],
  ['a doubled `**`', head.replace('web: shop:/web', 'web: shop:/**/**'), 'POL0108 p.yaml:6 "shop:/**/**"'],
  ['a dot segment', head.replace('web: shop:/web', 'web: shop:/../web'), 'POL0108 p.yaml:6 "shop:/../web"'],
  [
    'an ID that is too long',
    head.replace('web: shop:/web', `web: shop:/${'a'.repeat(2048)}`),
    `POL0108 p.yaml:6 "shop:/${'a'.repeat(2048)}"`,
  ],
  ['a service with a pattern', head.replace('shop:/orders', 'shop:/*'), 'POL0103 p.yaml:9 "shop:/*"'],
  [
    'a service without protocol',
    head.replace(', protocol: http', ''),
    'POL0102 p.yaml:9 "{ identity: shop:/orders }"',
  ],
  ['tcp, which is not there yet', head.replace('protocol: http', 'protocol: tcp'), 'POL0105 p.yaml:9 "tcp"'],
  ['a protocol that is none', head.replace('protocol: http', 'protocol: htp'), 'POL0103 p.yaml:9 "htp"'],
  [
    'a port, which is not there yet',
    head.replace('protocol: http', 'protocol: http, port: 80'),
    'POL0105 p.yaml:9 "port"',
  ],
  ['an unknown caller', rule('from: wbe, allow: GET /a'), 'POL0201 p.yaml:11 "wbe"'],
  [
    'an unknown service',
    rule('from: web, allow: GET /a').replace('to: orders', 'to: [orders, oders]'),
    'POL0202 p.yaml:11 "oders"',
  ],
  ['a misspelt field', rule('from: web, allow: GET /a, untill: 2027-01-01'), 'POL0101 p.yaml:11 "untill"'],
  [
    'shadow mode, which is not there yet',
    rule('from: web, allow: GET /a, mode: shadow'),
    'POL0105 p.yaml:11 "mode"',
  ],
  [
    'headers, which are not there yet',
    rule('from: web, allow: GET /a, headers: {}'),
    'POL0105 p.yaml:11 "headers"',
  ],
  ['neither allow nor deny', rule('from: web'), 'POL0114 p.yaml:11 "r"'],
  ['both allow and deny', rule('from: web, allow: GET /a, deny: GET /b'), 'POL0114 p.yaml:11 "GET /b"'],
  ['an empty list of callers', rule('from: [], allow: GET /a'), 'POL0116 p.yaml:11 "[]"'],
  ['an empty list of operations', rule('from: web, allow: []'), 'POL0116 p.yaml:11 "[]"'],
  ['nothing for a list', rule('from: web, allow:'), 'POL0103 p.yaml:11 "allow"'],
  ['a path without method', rule('from: web, allow: /a'), 'POL0109 p.yaml:11 "/a"'],
  ['two paths in one text', rule('from: web, allow: GET /a /b'), 'POL0109 p.yaml:11 "GET /a /b"'],
  ['a method in small letters', rule('from: web, allow: get /a'), 'POL0110 p.yaml:11 "get"'],
  ['CONNECT', rule('from: web, allow: CONNECT /a'), 'POL0110 p.yaml:11 "CONNECT"'],
  [
    'gRPC, which is not there yet',
    rule('from: web, allow: grpc shop.Orders/Get'),
    'POL0105 p.yaml:11 "grpc shop.Orders/Get"',
  ],
  ['a path in another form', rule('from: web, allow: "GET /a//b"'), 'POL0111 p.yaml:11 "/a//b"'],
  [
    'an end that is no instant',
    rule('from: web, allow: GET /a, until: 2027-02-30, reason: x'),
    'POL0112 p.yaml:11 "2027-02-30"',
  ],
  [
    'an end without a reason',
    rule('from: web, allow: GET /a, until: 2027-01-01'),
    'POL0113 p.yaml:11 "2027-01-01"',
  ],
  [
    'an end with an empty reason',
    rule("from: web, allow: GET /a, until: 2027-01-01, reason: ' '"),
    'POL0113 p.yaml:11 "2027-01-01"',
  ],
  [
    'a rule name with a line break',
    rule('from: web, allow: GET /a').replace('name: r', 'name: "r\\r\\nx"'),
    'POL0106 p.yaml:11 "\\"r\\\\r\\\\nx\\""',
  ],
  [
    'a rule twice',
    `${rule('from: web, allow: GET /a')}  - { name: r, from: web, to: orders, allow: GET /b }\n`,
    'POL0204 p.yaml:12 "r"',
  ],
  [
    'a test for a group',
    tested('from: team, to: orders, call: GET /a, expect: allow'),
    'POL0117 p.yaml:13 "team"',
  ],
  [
    'a test with a star',
    tested('from: web, to: orders, call: GET /*, expect: allow'),
    'POL0118 p.yaml:13 "/*"',
  ],
  [
    'a test with any method',
    tested('from: web, to: orders, call: ANY /a, expect: allow'),
    'POL0118 p.yaml:13 "/a"',
  ],
  [
    'a test with a query',
    tested('from: web, to: orders, call: GET /a?b, expect: allow'),
    'POL0111 p.yaml:13 "/a?b"',
  ],
  [
    'a test that expects something else',
    tested('from: web, to: orders, call: GET /a, expect: ok'),
    'POL0103 p.yaml:13 "ok"',
  ],
  [
    'a test for several services',
    tested('from: web, to: [orders, orders2], call: GET /a, expect: deny'),
    'POL0202 p.yaml:13 "orders2"',
  ],
  [
    'a test by an unknown rule',
    tested('from: web, to: orders, call: GET /a, expect: allow, by: q'),
    'POL0206 p.yaml:13 "q"',
  ],
  [
    'a proof, which is not there yet',
    tested('never: { from: web, to: orders }'),
    'POL0105 p.yaml:13 "never"',
    'POL0102 p.yaml:13 "{ never: { from: web, to: orders } }"',
    'POL0102 p.yaml:13 "{ never: { from: web, to: orders } }"',
    'POL0102 p.yaml:13 "{ never: { from: web, to: orders } }"',
    'POL0102 p.yaml:13 "{ never: { from: web, to: orders } }"',
  ],
];

test('what is not understood is refused, in its place', () => {
  for (const [what, text, ...expected] of wrong) {
    const found = findings({ 'p.yaml': text });
    assert.deepEqual([...found].sort(), [...expected].sort(), what);
  }
});

test('a file may be named by letters, digits and a few signs only', () => {
  assert.deepEqual(findings({ 'a b.yaml': 'version: 1\n' }), ['POL0115 a b.yaml:1 "version: 1"']);
});

test('names are shared between files, and defined once in all of them', () => {
  const rules = 'version: 1\nrules:\n  - { name: r, from: team, to: orders, allow: GET /a }\n';
  assert.deepEqual(findings({ 'a.yaml': head, 'b.yaml': rules, 'c.yaml': rules }), []);
  assert.deepEqual(
    findings({ 'a.yaml': rules, 'b.yaml': head, 'c.yaml': 'version: 1\ncallers: { web: shop:/x }\n' }),
    ['POL0204 c.yaml:2 "web"'],
  );
});

test('names that an unreadable file may define are not called unknown', () => {
  const rules = 'version: 1\nrules:\n  - { name: r, from: team, to: orders, allow: GET /a }\n';
  assert.deepEqual(findings({ 'a.yaml': 'version: 1\ncallers: *x\n', 'b.yaml': rules }), [
    'POL0003 a.yaml:2 "*x"',
  ]);
});

test('rules come in the order of files and of lines, and are named by both', () => {
  const text = (name: string) =>
    `version: 1\nrules:\n  - { name: ${name}, from: web, to: orders, allow: GET / }\n`;
  const files = { 'z.yaml': text('one'), 'team/a.yaml': text('two'), 'a.yaml': `${head}` };
  const { policy } = loadPolicy(
    Object.entries(files).map(([name, text]) => ({ name, path: `/etc/policy/${name}`, text })),
    0,
  );
  assert.deepEqual(
    policy?.rules.map(({ id }) => id),
    ['team/a.yaml:two', 'z.yaml:one'],
  );
});

test('groups are resolved through each other, each pattern once, services too', () => {
  const text = `${head}rules:\n  - { name: r, from: [team, web, orders, partner:/**], to: orders, allow: GET / }\n`;
  const [only] = policyOf(text).rules;
  assert.deepEqual(
    only?.callers.map((caller) => caller.text),
    ['shop:/web', 'shop:/ns/*/sa/web', 'shop:/orders', 'partner:/**'],
  );
});

test('risky things are warnings, which leave the policy usable', () => {
  const at = Date.parse('2027-01-01T00:00:00Z');
  const text = `${head}  web2: { identity: shop:/web2, protocol: http }
rules:
  - { name: a, from: web, to: orders, allow: ANY /**, until: 2027-01-01, reason: x }
  - { name: b, from: web, to: orders, deny: [ANY /**, GET /admin] }
  - { name: c, from: web, to: orders, deny: ANY /** }
`;
  assert.deepEqual(findings({ 'p.yaml': text }, at), [
    'POL0303 p.yaml:10 "web2"',
    'POL0302 p.yaml:12 "a"',
    'POL0301 p.yaml:13 "/admin"',
  ]);
  assert.equal(findings({ 'p.yaml': text }, at - 1).length, 2);
});

test('whether a policy is good never depends on the day', () => {
  fc.assert(
    fc.property(policyText, fc.integer({ min: 0, max: 4e12 }), (text, at) => {
      const files = [{ name: 'p.yaml', path: 'p.yaml', text }];
      assert.equal(loadPolicy(files, at).policy === undefined, loadPolicy(files, 0).policy === undefined);
    }),
    { numRuns: 50 },
  );
});

test('no text makes the reader throw', () => {
  const words = fc.constantFrom(
    'version',
    'rules',
    'from',
    'to',
    'allow',
    'name',
    'a',
    'GET /a',
    '1',
    ': ',
    '\n',
    '- ',
    '  ',
    '{',
    '}',
    '[',
    ']',
    ', ',
    'trustDomains',
    'id',
    'services',
    'identity',
    'tests',
    'until',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 60 }), (parts) => {
      const text = `version: 1\n${parts.join('')}`;
      const { policy, diagnostics } = loadPolicy([{ name: 'p.yaml', path: 'p.yaml', text }], 0);
      assert.equal(
        policy === undefined,
        diagnostics.some(({ severity }) => severity === 'error'),
      );
    }),
    { numRuns: 1000 },
  );
});
