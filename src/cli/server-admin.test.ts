import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { runningServer } from '../../test/support/running-server.js';
import { transcript } from '../../test/support/transcript.js';

const twoEntries = `version: 1
entries:
  - name: web
    spiffeId: spiffe://shop.example/web
    parentId: spiffe://shop.example/node/demo
    selectors: [unix:uid:1, unix:path:/usr/bin/envoy]
  - name: orders
    spiffeId: spiffe://shop.example/orders
    parentId: spiffe://shop.example/node/demo
    selectors: unix:uid:2
    x509SvidTtl: 60
`;

test('apply creates, updates and lists; applied again it changes nothing; it deletes only when asked to', async (t) => {
  const { adminSocket } = await runningServer(t);
  const files = {
    'two.yaml': twoEntries,
    'changed.yaml': twoEntries.replace('60', '90'),
    'one.yaml': twoEntries.slice(0, twoEntries.indexOf('  - name: orders')),
  };
  const lines = [
    'entry apply -f two.yaml --dry-run',
    'entry apply -f two.yaml',
    'entry apply -f two.yaml',
    'entry apply -f changed.yaml',
    'entry list',
    'entry apply -f one.yaml',
    'entry apply -f one.yaml --prune',
    'entry delete applied-web applied-orders',
  ];
  assert.equal(
    await transcript(t, files, lines, { PLASTRON_ADMIN_SOCKET: adminSocket }),
    `$ plastron entry apply -f two.yaml --dry-run
+ spiffe://shop.example/web (applied-web)
+ spiffe://shop.example/orders (applied-orders)
err| 0 unchanged
exit 1

$ plastron entry apply -f two.yaml
+ spiffe://shop.example/web (applied-web)
+ spiffe://shop.example/orders (applied-orders)
err| 0 unchanged
exit 0

$ plastron entry apply -f two.yaml
err| 2 unchanged
exit 0

$ plastron entry apply -f changed.yaml
~ spiffe://shop.example/orders (applied-orders)
    x509SvidTtl: 60s -> 90s
err| 1 unchanged
exit 0

$ plastron entry list
SPIFFE ID                     PARENT                           SELECTORS                            TTL      NOTES  ID
spiffe://shop.example/orders  spiffe://shop.example/node/demo  unix:uid:2                           90s             applied-orders
spiffe://shop.example/web     spiffe://shop.example/node/demo  unix:path:/usr/bin/envoy unix:uid:1  default         applied-web
exit 0

$ plastron entry apply -f one.yaml
err| kept, though no file has it any more: spiffe://shop.example/orders (applied-orders); --prune would delete it
err| 1 unchanged
exit 0

$ plastron entry apply -f one.yaml --prune
- spiffe://shop.example/orders (applied-orders)
err| 1 unchanged
exit 0

$ plastron entry delete applied-web applied-orders
- applied-web
err| ✗ applied-orders: SRV0301: no entry has the ID \`applied-orders\`
err|   = help: list the entries with \`plastron entry list\`
exit 1
`,
  );
});

test('a file with mistakes is shown all of them and nothing of it is applied', async (t) => {
  const { adminSocket } = await runningServer(t);
  const bad = `version: 1
entries:
  - spiffeId: spiffe://shop.example/web
    parentId: spiffe://shop.example/node/demo
    selectors: unix:uid:1
  - spiffeId: spiffe://other.example/web
    parentId: spiffe://shop.example/node/demo
    selectors: uid
`;
  const shown = await transcript(t, { 'bad.yaml': bad }, ['entry apply -f bad.yaml', 'entry list'], {
    PLASTRON_ADMIN_SOCKET: adminSocket,
  });
  assert.match(shown, /error\[REG0201\].*\n.* bad\.yaml:6:15\n/);
  assert.match(shown, /error\[REG0101\].*\n.* bad\.yaml:8:16\n/);
  assert.match(shown, /2 errors, nothing was applied\nexit 1\n/);
  assert.match(shown, /SPIFFE ID {2}PARENT {2}SELECTORS {2}TTL {2}NOTES {2}ID\nexit 0\n$/);
});

test('one entry by its options: created once, refused when it is there already or makes no sense', async (t) => {
  const { adminSocket } = await runningServer(t);
  const create =
    'entry create --id web --spiffe-id spiffe://shop.example/web --parent-id spiffe://shop.example/node/demo --selector';
  const lines = [
    `${create} unix:uid:1 --selector unix:gid:1 --x509-svid-ttl 60 --dns-name web --hint x`,
    `${create} unix:uid:1`,
    `${create} uid`,
  ];
  assert.equal(
    (await transcript(t, {}, lines, { PLASTRON_ADMIN_SOCKET: adminSocket })).replaceAll(create, 'CREATE'),
    `$ plastron CREATE unix:uid:1 --selector unix:gid:1 --x509-svid-ttl 60 --dns-name web --hint x
web
exit 0

$ plastron CREATE unix:uid:1
err| error[CLI0401]: the server refused: SRV0302: the entry \`web\` is the same: it has this ID, or this SPIFFE ID, parent and selectors
err|   = help: change that entry, or choose another ID, parent or set of selectors
err|   = more: run \`plastron explain CLI0401\`
exit 1

$ plastron CREATE uid
err| error[REG0101]: \`uid\` is not a selector
err|   = help: write the type, a colon and the value, as in unix:uid:1000
err|   = more: run \`plastron explain REG0101\`
exit 2
`,
  );
});

test('the bundle that is shown has the SHA-256 that agents pin, and a token stands alone on its line', async (t) => {
  const server = await runningServer(t);
  const env = { PLASTRON_ADMIN_SOCKET: server.adminSocket };
  const [, pem = ''] =
    /^\$.*\n(-----BEGIN.*-----\n)exit 0\n$/s.exec(await transcript(t, {}, ['bundle show'], env)) ?? [];
  assert.equal(createHash('sha256').update(pem).digest('hex'), server.bundleSha256());
  const token = await transcript(t, {}, ['node token --spiffe-id spiffe://shop.example/node/demo'], env);
  assert.match(token, /\n[0-9a-f]{48}\nexit 0\n$/);
});

test('without a server the exit code says that nobody answers', async (t) => {
  const shown = await transcript(t, {}, ['bundle show --admin-socket nobody.sock', 'bundle show']);
  assert.match(
    shown,
    /error\[CLI0404\]: no server answers at the admin socket `nobody.sock`: connect ENOENT/,
  );
  assert.match(shown, /exit 4\n/);
  assert.match(shown, /required option '--admin-socket <path>' not specified\n.*--help.*\nexit 2\n$/);
});
