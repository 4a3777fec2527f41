import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shop } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { isFault } from '../base/faults/fault.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import { readX509Context } from './x509-context.js';

const ca = testCa(shop);
const web = ca.svid('spiffe://shop.example/web').svid;
const batch = ca.svid('spiffe://shop.example/batch').svid;

const message = ({ id, chain, privateKey }: X509Svid, hint?: string) => ({
  spiffe_id: id,
  x509_svid: Buffer.concat(chain),
  x509_svid_key: Buffer.from(privateKey),
  bundle: Buffer.from(ca.certificate.der),
  ...(hint !== undefined && { hint }),
});

test('WA-09: of several SVIDs with one hint a client takes the first', () => {
  const svids = [message(web, 'main'), message(batch, 'main'), message(batch), message(web)];
  const context = readX509Context({ svids }, Date.now());
  assert.deepEqual(
    context.svids.map(({ svid, hint }) => [svid.id, hint]),
    [
      [web.id, 'main'],
      [batch.id, ''],
      [web.id, ''],
    ],
  );
});

test('an answer without SVID, of an expired one, or with a bundle by a name that is no trust domain is refused', () => {
  const expired = ca.svid(web.id, { notAfter: Date.now() - 1000 }).svid;
  const federated_bundles = { 'partner.example': Buffer.from(ca.certificate.der) };
  for (const wrong of [
    {},
    { svids: [] },
    { svids: [message(expired)] },
    { svids: [message(web)], federated_bundles },
  ]) {
    assert.throws(
      () => readX509Context(wrong, Date.now()),
      (error) => isFault(error, 'WLA0503'),
    );
  }
});
