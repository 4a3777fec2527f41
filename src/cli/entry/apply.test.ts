import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runningServer } from '../../../test/support/running-server.js';
import { transcript } from '../../../test/support/transcript.js';

const entry = (name: string, more = '') => `  - name: ${name}
    spiffeId: spiffe://shop.example/${name}
    parentId: spiffe://shop.example/node/demo
    selectors: unix:uid:1${more}
`;
const file = (owner: string, ...entries: string[]) =>
  `version: 1\n${owner === '' ? '' : `owner: ${owner}\n`}entries:${entries.length > 0 ? '' : ' []'}\n${entries.join('')}`;

test('a prune reaches only entries of the same owner, and files without any entry prune nothing unless told twice', async (t) => {
  const { adminSocket } = await runningServer(t);
  const files = {
    'a.yaml': file('team-a', entry('web'), entry('orders')),
    'b.yaml': file('team-b', entry('stock')),
    'less.yaml': file('team-a', entry('web')),
    'none.yaml': file('team-a'),
  };
  const lines = [
    'entry apply -f a.yaml -f b.yaml',
    'entry apply -f less.yaml --prune',
    'entry apply -f none.yaml --prune',
    'entry apply -f none.yaml --prune --yes',
  ];
  const shown = await transcript(t, files, lines, { PLASTRON_ADMIN_SOCKET: adminSocket });
  const answers = shown.split(/^\$ .*\n/m).slice(1);
  assert.match(
    answers[1] ?? '',
    /^- spiffe:\/\/shop.example\/orders \(applied.team-a.orders\)\nerr\| 1 unchanged\nexit 0/,
  );
  assert.match(answers[2] ?? '', /would delete all 1 of their owner\n.*\nexit 3/);
  assert.match(answers[3] ?? '', /^- spiffe:\/\/shop.example\/web \(applied.team-a.web\)\n/);
});

test('what is refused hinders no other entry: it is named with its place, and the exit code says so', async (t) => {
  const { adminSocket } = await runningServer(t);
  const files = {
    'a.yaml': file('team-a', entry('web')),
    'b.yaml': file(
      'team-b',
      entry('web', '\n    x509SvidTtl: 60'),
      entry('fed', '\n    federatesWith: other.example'),
      entry('orders'),
    ),
  };
  const lines = ['entry apply -f a.yaml', 'entry apply -f b.yaml', 'entry apply -f b.yaml --dry-run -o json'];
  const shown = await transcript(t, files, lines, { PLASTRON_ADMIN_SOCKET: adminSocket });
  const [, applied = '', dry = ''] = shown.split(/^\$ .*\n/m).slice(1);
  assert.match(applied, /^\+ spiffe:\/\/shop.example\/orders \(applied.team-b.orders\)\n/);
  assert.match(applied, /err\| ✗ b.yaml:9:5: SRV0304: .*\n/);
  assert.match(
    applied,
    /err\| ✗ the entry `applied.team-a.web` has this SPIFFE ID, .* another owner made it\n/,
  );
  assert.match(applied, /exit 1\n\n$/);
  const { items } = JSON.parse(dry.slice(0, dry.indexOf('err|'))) as { items: Record<string, unknown>[] };
  assert.deepEqual(
    items.map(({ action, id }) => [action, id]),
    [
      ['create', 'applied.team-b.fed'],
      ['refuse', 'applied.team-a.web'],
    ],
  );
});

test('a folder is applied and checked with the policy beside its entries, and one without entries is refused', async (t) => {
  const { adminSocket } = await runningServer(t);
  const policy =
    'version: 1\ntrustDomains: { shop: { id: shop.example } }\nservices:\n  web: { identity: shop:/web, protocol: http }\n';
  const files = {
    'policy/shop.yaml': policy,
    'policy/entries.yaml': file('', entry('web')),
    'bare/shop.yaml': policy,
    'bad/shop.yaml': policy,
    'bad/entries.yaml': file('', entry('web', '\n    hint: x\n    default: true')),
  };
  const lines = [
    'policy check policy',
    'entry apply -f policy --dry-run',
    'entry apply -f bare',
    'policy check bad',
    'policy test policy',
  ];
  const shown = await transcript(t, files, lines, { PLASTRON_ADMIN_SOCKET: adminSocket });
  const [check, dry, bare, bad, tested] = shown.split(/^\$ .*\n/m).slice(1);
  assert.match(check ?? '', /^✓ the policy is good: 1 service, .*\n✓ the entries are good: 1 entry\nexit 0/m);
  assert.match(dry ?? '', /^\+ spiffe:\/\/shop.example\/web \(applied-web\)\nerr\| 0 unchanged\nexit 1/);
  assert.match(bare ?? '', /error\[CLI0602\][\s\S]*exit 2/);
  assert.match(
    bad ?? '',
    /error\[REG0211\][\s\S]*bad\/entries.yaml:7:11[\s\S]*✓ the policy is good[\s\S]*✗ the entries would be refused: 1 error\nexit 1/,
  );
  assert.doesNotMatch(tested ?? '', /entries/);
});
