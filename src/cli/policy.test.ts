import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transcript } from '../../test/support/transcript.js';

const policy = `version: 1
trustDomains:
  shop: { id: shop.example }
callers:
  web: shop:/web
  batch: shop:/batch/*
services:
  orders: { identity: shop:/orders, protocol: http }
rules:
  - name: web-reads
    from: web
    to: orders
    allow: [GET /v1/orders, GET /v1/orders/*, HEAD /v1/orders/**]
  - name: refunds
    from: batch
    to: orders
    allow: POST /v1/refunds
    until: 2099-01-01
    reason: OPS-412 legacy refunds
  - name: no-export
    from: [web, batch]
    to: orders
    deny: ANY /v1/orders/*/export
tests:
  - { from: web, call: GET /v1/orders/7, to: orders, expect: allow, by: web-reads }
  - { from: web, call: GET /v1/orders/7/export, to: orders, expect: deny, by: no-export }
`;

test('a good policy is checked and tested', async (t) => {
  assert.equal(
    await transcript(t, { 'policy/orders.yaml': policy }, ['policy check policy', 'policy test policy']),
    `$ plastron policy check policy
warning[POL0301]: the rule \`no-export\` denies the path \`/v1/orders/*/export\`, which other spellings of the path may get around
  --> policy/orders.yaml:23:15
   |
22 |     to: orders
23 |     deny: ANY /v1/orders/*/export
   |               ^^^^^^^^^^^^^^^^^^^ this path, in whatever spelling
   |
   = help: allow the paths that are meant instead: what no rule allows is denied
   = more: run \`plastron explain POL0301\`

✓ the policy is good: 1 service, 3 rules, 2 tests passed; 1 warning
exit 0

$ plastron policy test policy
   TEST                     CALLER                     SERVICE  CALL                     ANSWER  RULE
✓  policy/orders.yaml:25:5  spiffe://shop.example/web  orders   GET /v1/orders/7         allow   orders.yaml:web-reads
✓  policy/orders.yaml:26:5  spiffe://shop.example/web  orders   GET /v1/orders/7/export  deny    orders.yaml:no-export

✓ 2 passed, 0 failed
exit 0
`,
  );
});

test('all errors of all files come in one run, by position, each with its place', async (t) => {
  const files = {
    'p/a.yaml': policy.replace('from: web\n', 'from: wbe\n').replace('POST /v1/refunds', 'Post /v1//refunds'),
    'p/b.yaml':
      'version: 1\ncallers:\n  web: shop:/other\nrules:\n  - { name: x, from: web, to: oders, allow: GET / }\n',
  };
  assert.equal(
    await transcript(t, files, ['policy check p']),
    `$ plastron policy check p
error[POL0201]: the rule \`web-reads\` names the unknown caller \`wbe\`
  --> p/a.yaml:11:11
   |
10 |   - name: web-reads
11 |     from: wbe
   |           ^^^ nobody has this name
   |
   = note: an unknown caller never matches: nothing would be allowed to it, and nothing denied
   = help: did you mean \`web\`?
   = more: run \`plastron explain POL0201\`

error[POL0110]: \`Post\` is not an HTTP method
  --> p/a.yaml:17:12
   |
16 |     to: orders
17 |     allow: Post /v1//refunds
   |            ^^^^
   |
   = help: did you mean \`POST\`?
   = more: run \`plastron explain POL0110\`

error[POL0204]: \`web\` is defined twice
 --> p/b.yaml:3:3
  |
2 | callers:
3 |   web: shop:/other
  |   ^^^
 ::: p/a.yaml:5:3
  |
5 |   web: shop:/web
  |   --- first defined here
  |
  = help: rename one of them, or remove it
  = more: run \`plastron explain POL0204\`

error[POL0202]: the rule \`x\` names the unknown service \`oders\`
 --> p/b.yaml:5:31
  |
4 | rules:
5 |   - { name: x, from: web, to: oders, allow: GET / }
  |                               ^^^^^ no service has this name
  |
  = help: did you mean \`orders\`?
  = more: run \`plastron explain POL0202\`

✗ the policy would be refused: 4 errors
exit 1
`,
  );
});

test('a failed test refuses the policy and is shown in its place', async (t) => {
  const wrong = policy.replace('expect: deny, by: no-export', 'expect: allow');
  assert.equal(
    await transcript(t, { 'p.yaml': wrong }, ['policy test p.yaml']),
    `$ plastron policy test p.yaml
   TEST         CALLER                     SERVICE  CALL                     ANSWER  RULE
✓  p.yaml:25:5  spiffe://shop.example/web  orders   GET /v1/orders/7         allow   p.yaml:web-reads
✗  p.yaml:26:5  spiffe://shop.example/web  orders   GET /v1/orders/7/export  deny    p.yaml:no-export

error[POL0501]: this test expects allow, and the policy says deny, by \`p.yaml:no-export\`
  --> p.yaml:26:5
   |
25 |   - { from: web, call: GET /v1/orders/7, to: orders, expect: allow, by: web-reads }
26 |   - { from: web, call: GET /v1/orders/7/export, to: orders, expect: allow }
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: change the rule or the test; \`plastron why\` shows how the rule decides
   = more: run \`plastron explain POL0501\`

✗ 1 passed, 1 failed
exit 1
`,
  );
});

test('why says which rule decides and what comes nearest', async (t) => {
  const lines = [
    'why web orders GET /v1/orders/7?page=2 --policy p',
    'why web orders POST /v1/orders/7 --policy p',
    'why spiffe://shop.example/batch/a orders POST /v1/refunds --policy p --at 2099-01-01',
    'why web orders GET /v1/orders//7/export;x --policy p',
    'why spiffe://evil.example/web orders GET /v1/orders --policy p',
    'why web orders GET /%00 --policy p',
  ];
  assert.equal(
    await transcript(t, { 'p/orders.yaml': policy }, lines),
    `$ plastron why web orders GET /v1/orders/7?page=2 --policy p
✓ ALLOWED  spiffe://shop.example/web -> orders  GET /v1/orders/7
  this is the path as Envoy sees it: a path has no query and no fragment
  allowed by web-reads  p/orders.yaml:10:11  GET /v1/orders/*
exit 0

$ plastron why web orders POST /v1/orders/7 --policy p
✗ DENIED  spiffe://shop.example/web -> orders  POST /v1/orders/7
  no rule allows it (default-deny)
  nearest: web-reads  p/orders.yaml:10:11
           from ✓ web   method ✗ POST is not GET   path ✓ /v1/orders/*
exit 1

$ plastron why spiffe://shop.example/batch/a orders POST /v1/refunds --policy p --at 2099-01-01
✗ DENIED  spiffe://shop.example/batch/a -> orders  POST /v1/refunds
  no rule allows it (default-deny)
  nearest: refunds  p/orders.yaml:14:11
           from ✓ batch   method ✓ POST   path ✓ /v1/refunds   until ✗ ended at 2099-01-01T00:00:00Z
exit 1

$ plastron why web orders GET /v1/orders//7/export;x --policy p
✗ DENIED  spiffe://shop.example/web -> orders  GET /v1/orders/7/export;x
  this is the path as Envoy sees it: Envoy merges slashes and resolves \`.\` and \`..\`
  denied by no-export  p/orders.yaml:20:11  ANY /v1/orders/*/export
  the path is not plain: servers read it in different ways, so every deny on a path catches it
exit 1

$ plastron why spiffe://evil.example/web orders GET /v1/orders --policy p
✗ DENIED  spiffe://evil.example/web -> orders  GET /v1/orders
  the trust domain of the caller is not one of the policy's (identity-guard)
exit 1

$ plastron why web orders GET /%00 --policy p
✗ DENIED  spiffe://shop.example/web -> orders  GET /%00
  the path can be in no policy: \`%00\` is answered 400 by Envoy, or sent by no honest client
  denied by no-export  p/orders.yaml:20:11  ANY /v1/orders/*/export
  the path is not plain: servers read it in different ways, so every deny on a path catches it
exit 1
`,
  );
});

test('questions that cannot be understood are usage errors, and a broken policy answers nothing', async (t) => {
  const files = { 'p/orders.yaml': policy, 'broken.yaml': 'version: 1\nrules: 7\n', 'empty/README.md': '' };
  const shown = await transcript(t, files, [
    'why wbe orders GET / --policy p',
    'why batch orders GET / --policy p',
    'why web ordres GET / --policy p',
    'why web orders GET / --policy p --at tomorrow',
    'why web orders GET /',
    'why web orders GET / --policy broken.yaml',
    'policy check missing',
    'policy check empty',
  ]);
  for (const expected of [
    'CLI0501]: the policy has no caller `wbe`: did you mean `web`?',
    'CLI0503]: `batch` stands for more than one caller',
    'CLI0502]: the policy has no service `ordres`: did you mean `orders`?',
    'Write a date, or an instant such as 2027-01-31T18:00:00Z.',
    "required option '--policy <path>' not specified",
    'error[POL0103]: `rules` must be a list, not the number 7',
    'CLI0201]: the file `missing` cannot be read: there is no such file',
    'CTL0102]: the policy folder `',
  ]) {
    assert.ok(shown.includes(expected), `${expected}\n${shown}`);
  }
  assert.deepEqual(
    [...shown.matchAll(/^exit (\d)$/gm)].map(([, code]) => code),
    ['2', '2', '2', '2', '2', '1', '2', '2'],
  );
});
