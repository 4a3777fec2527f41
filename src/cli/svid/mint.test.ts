import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/children.js';
import { runningServer } from '../../../test/support/running-server.js';
import { transcript } from '../../../test/support/transcript.js';
import { readPem } from '../../base/pem.js';
import { bundleFromPem } from '../../spiffe/bundle-pem.js';
import { parseTrustDomain } from '../../spiffe/id.js';
import { verifyX509Svid } from '../../spiffe/verify-x509-svid.js';

test('a minted X.509-SVID verifies, its key is in a file of its owner alone and nowhere on the terminal, and nothing is overwritten', async (t) => {
  const { adminSocket } = await runningServer(t);
  const out = join(temporaryFolder(t), 'web');
  const mint = `svid mint-x509 --spiffe-id spiffe://shop.example/web --dns-name web --ttl 600 --write ${out}`;
  const env = { PLASTRON_ADMIN_SOCKET: adminSocket };
  const shown = await transcript(t, {}, [mint, mint, `${mint} --force -o json`], env);
  assert.doesNotMatch(shown, /PRIVATE KEY/);
  const answers = shown.split(/^\$ .*\n/m).slice(1);
  assert.match(
    answers[0] ?? '',
    /^\+ spiffe:\/\/shop.example\/web, ends in \S+: .*svid.pem .*key.pem .*bundle.pem\nexit 0/,
  );
  assert.match(answers[1] ?? '', /error\[CLI0801\][\s\S]*exit 1/);
  assert.match(answers[2] ?? '', /"kind": "X509Svid"[\s\S]*exit 0/);
  const read = (name: string) => readFileSync(join(out, name), 'utf8');
  assert.equal(statSync(join(out, 'key.pem')).mode & 0o777, 0o600);
  const chain = readPem(read('svid.pem')).map(({ der }) => der);
  const bundle = bundleFromPem(parseTrustDomain('shop.example'), read('bundle.pem'));
  assert.equal(verifyX509Svid(chain, bundle, Date.now()).id, 'spiffe://shop.example/web');
  const leaf = new X509Certificate(read('svid.pem'));
  assert.ok(leaf.checkPrivateKey(createPrivateKey(read('key.pem'))));
  assert.match(leaf.subjectAltName ?? '', /DNS:web/);
});

test('a minted JWT-SVID stands alone on its line, and tells programs when it ends', async (t) => {
  const { adminSocket } = await runningServer(t);
  const mint = 'svid mint-jwt --spiffe-id spiffe://shop.example/web --audience orders --audience stock';
  const shown = await transcript(t, {}, [mint, `${mint} -o json`], { PLASTRON_ADMIN_SOCKET: adminSocket });
  const [plain = '', json = ''] = shown.split(/^\$ .*\n/m).slice(1);
  const [, claims = ''] = /^[\w-]+\.([\w-]+)\.[\w-]+\nexit 0\n/.exec(plain) ?? [];
  const { sub, aud } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
  assert.deepEqual([sub, aud], ['spiffe://shop.example/web', ['orders', 'stock']]);
  const document = JSON.parse(json.slice(0, json.lastIndexOf('exit'))) as Record<string, unknown>;
  assert.match(String(document.expiresAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('what no entry could give is not minted', async (t) => {
  const { adminSocket } = await runningServer(t);
  const shown = await transcript(
    t,
    {},
    [
      'svid mint-x509 --spiffe-id spiffe://shop.example/spire/server --write x',
      'svid mint-jwt --spiffe-id spiffe://other.example/web --audience orders',
    ],
    { PLASTRON_ADMIN_SOCKET: adminSocket },
  );
  assert.match(shown, /REG0202[\s\S]*exit 1[\s\S]*REG0201[\s\S]*exit 1/);
});
