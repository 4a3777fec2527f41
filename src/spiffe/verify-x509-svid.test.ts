import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CertificateOverrides, type TestCa, testCa } from '../../test/support/ca.js';
import * as der from '../base/der/writer.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import type { Bundle } from './bundle.js';
import { extension, subjectAltName } from './certificate-writer.js';
import { parseTrustDomain } from './id.js';
import { oids } from './oids.js';
import { claimedSvidId, verifyX509Svid } from './verify-x509-svid.js';

const web = 'spiffe://shop.example/web';
const ca = testCa('shop.example');
const now = Date.now();
const hour = 3_600_000;

const verify = (chain: readonly Uint8Array[], bundle: Bundle = ca.bundle, at = now) =>
  verifyX509Svid(chain, bundle, at);

function refuses(code: FaultCode, chain: readonly Uint8Array[], bundle: Bundle = ca.bundle, at = now): void {
  assert.throws(
    () => verifyX509Svid(chain, bundle, at),
    (error) => isFault(error, code) || assert.fail(`not ${code} but ${error}`),
  );
}

const refusesLeaf = (code: FaultCode, overrides: CertificateOverrides) =>
  refuses(code, ca.svid(web, overrides).chain);

const refusesBelow = (code: FaultCode, issuer: TestCa) =>
  refuses(code, issuer.svid(web).chain, issuer.bundle);

test('a good SVID gives its ID, its serial number and its window', () => {
  const { chain, svid } = ca.svid(web, { serial: Buffer.from('000aff', 'hex') });
  const whole = (ms: number) => Math.floor(ms / 1000) * 1000;
  assert.deepEqual(verify(chain), {
    id: web,
    serial: 'aff',
    notBefore: whole(svid.notBefore),
    notAfter: whole(svid.notAfter),
  });
});

test('XS-01: no URI name, or two, is refused, even when only one of them is a SPIFFE ID', () => {
  refusesLeaf('IDN0203', { uris: [] });
  refusesLeaf('IDN0203', { uris: [], dns: [web] });
  refusesLeaf('IDN0203', { uris: [web, 'https://shop.example/'] });
  refusesLeaf('IDN0203', { uris: ['https://shop.example/', web] });
  refusesLeaf('IDN0203', { uris: [web, 'spiffe://shop.example/orders'] });
  refusesLeaf('IDN0203', { uris: [web, web] });
});

test('XS-01: a URI that looks like several in a printed certificate is one bad name', () => {
  refusesLeaf('IDN0105', { uris: [`${web}, URI:spiffe://shop.example/admin`] });
  refusesLeaf('IDN0105', { uris: [`${web},spiffe://shop.example/admin`] });
  refusesLeaf('IDN0105', { uris: [`${web}\0`] });
  refusesLeaf('IDN0105', { uris: [`${web}\n`] });
});

test('XS-02: names of other kinds beside the URI are no matter', () => {
  const names = der.sequence(
    der.implicit(1, Buffer.from('web@shop.example')),
    der.implicit(2, Buffer.from('web.shop.example')),
    der.explicit(4, der.sequence()),
    der.implicit(6, Buffer.from(web)),
    der.implicit(7, Buffer.of(10, 0, 0, 1)),
    der.implicit(8, Buffer.of(42, 3, 4)),
  );
  const { chain } = ca.svid(web, { uris: [], moreExtensions: [extension(oids.subjectAltName, true, names)] });
  assert.equal(verify(chain).id, web);
});

test('XS-03, XS-14: the ID of a trust domain is not accepted as a leaf', () => {
  refusesLeaf('IDN0109', { uris: ['spiffe://shop.example'] });
  refusesLeaf('IDN0106', { uris: ['spiffe://shop.example/'] });
});

test('XS-14: a name that is no SPIFFE ID is refused', () => {
  refusesLeaf('IDN0101', { uris: ['https://shop.example/web'] });
  refusesLeaf('IDN0101', { uris: ['SPIFFE://shop.example/web'] });
  refusesLeaf('IDN0103', { uris: ['spiffe://Shop.example/web'] });
  refusesLeaf('IDN0107', { uris: ['spiffe://shop.example/a/../web'] });
});

test('XS-07, XS-14: a certificate that may sign is never accepted as a leaf', () => {
  refusesLeaf('IDN0204', { ca: true });
  refusesLeaf('IDN0204', { keyUsage: ['digitalSignature', 'keyCertSign'] });
  refusesLeaf('IDN0204', { keyUsage: ['digitalSignature', 'cRLSign'] });
  refusesLeaf('IDN0204', { ca: true, keyUsage: ['keyCertSign', 'cRLSign'] });
});

test('XS-07: neither the root nor an intermediate authenticates, not even with an ID that has a path', () => {
  refuses('IDN0109', [ca.certificate.der]);
  const named = ca.intermediate({ uris: [web] });
  refuses('IDN0204', [named.certificate.der]);
});

test('XS-11: a leaf needs the key usage digitalSignature', () => {
  refusesLeaf('IDN0205', { keyUsage: 'none' });
  refusesLeaf('IDN0205', { keyUsage: ['keyEncipherment', 'keyAgreement'] });
  assert.equal(
    verify(ca.svid(web, { keyUsage: ['digitalSignature', 'keyEncipherment', 'keyAgreement'] }).chain).id,
    web,
  );
});

test('XS-12: an extended key usage has both serverAuth and clientAuth, or is left out', () => {
  refusesLeaf('IDN0206', { extendedKeyUsage: [oids.serverAuth] });
  refusesLeaf('IDN0206', { extendedKeyUsage: [oids.clientAuth] });
  refusesLeaf('IDN0206', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'] });
  assert.equal(verify(ca.svid(web, { extendedKeyUsage: 'none' }).chain).id, web);
});

test('XS-13: a certificate of another CA of the same name does not verify', () => {
  const impostor = testCa('shop.example', { commonName: 'root' });
  const real = testCa('shop.example', { commonName: 'root' });
  assert.equal(verify(real.svid(web).chain, real.bundle).id, web);
  refuses('IDN0207', impostor.svid(web).chain, real.bundle);
  refuses('IDN0207', [...impostor.svid(web).chain, impostor.certificate.der], real.bundle);
});

test('XS-13: the window of the leaf counts at both ends, to the second', () => {
  const from = Date.UTC(2026, 5, 1);
  const root = testCa('shop.example', { notBefore: from - hour, notAfter: from + 24 * hour });
  const { chain } = root.svid(web, { notBefore: from, notAfter: from + hour });
  for (const at of [from, from + 1, from + hour]) assert.equal(verify(chain, root.bundle, at).id, web);
  for (const at of [from - 1, from + hour + 1, Number.NaN]) refuses('IDN0209', chain, root.bundle, at);
});

test('XS-13: an intermediate or a root outside of its window breaks the path', () => {
  refusesBelow('IDN0209', ca.intermediate({ notAfter: now - 1000 }));
  refusesBelow('IDN0209', ca.intermediate({ notBefore: now + hour }));
  refusesBelow('IDN0209', testCa('shop.example', { notAfter: now - 1000 }));
  refusesBelow('IDN0209', testCa('shop.example', { notBefore: now + hour }));
});

test('XS-13: an SVID cannot issue SVIDs', () => {
  refusesBelow('IDN0211', ca.intermediate({ ca: false, keyUsage: ['digitalSignature'], uris: [web] }));
});

test('XS-13: an issuer is a CA, and has keyCertSign where it has a key usage at all', () => {
  const unsaid = testCa('shop.example', { keyUsage: 'none' });
  assert.equal(verify(unsaid.svid(web).chain, unsaid.bundle).id, web);
  refusesBelow('IDN0211', ca.intermediate({ ca: false }));
  refusesBelow('IDN0211', ca.intermediate({ keyUsage: ['digitalSignature', 'cRLSign'] }));
  refusesBelow('IDN0211', testCa('shop.example', { ca: false }));
  refusesBelow('IDN0211', testCa('shop.example', { keyUsage: ['cRLSign'] }));
});

test('XS-13: no more CAs stand below another than its path length says', () => {
  const none = testCa('shop.example', { pathLength: 0 });
  assert.equal(verify(none.svid(web).chain, none.bundle).id, web);
  refusesBelow('IDN0211', none.intermediate());
  const one = ca.intermediate({ pathLength: 1 });
  assert.equal(verify(one.intermediate().svid(web).chain).id, web);
  refusesBelow('IDN0211', one.intermediate().intermediate());
});

test('XS-13: a critical extension that is not known is refused anywhere in the path', () => {
  const unknown = (critical: boolean) => ({
    moreExtensions: [extension('1.3.6.1.4.1.99999.1', critical, der.octetString(Buffer.of(1)))],
  });
  refusesLeaf('IDN0210', unknown(true));
  refusesBelow('IDN0210', ca.intermediate(unknown(true)));
  refusesBelow('IDN0210', testCa('shop.example', unknown(true)));
  assert.equal(verify(ca.intermediate(unknown(false)).svid(web, unknown(false)).chain).id, web);
});

test('XS-13: name constraints are refused rather than passed over, critical or not', () => {
  const permitted = der.explicit(0, der.sequence(der.implicit(6, Buffer.from('shop.example'))));
  for (const critical of [true, false]) {
    const constraints = extension(oids.nameConstraints, critical, der.sequence(permitted));
    refusesBelow('IDN0210', ca.intermediate({ moreExtensions: [constraints] }));
  }
});

test('XS-13: an extended key usage of an intermediate limits what is below', () => {
  refusesBelow('IDN0211', ca.intermediate({ extendedKeyUsage: [oids.serverAuth] }));
  for (const purposes of [[oids.serverAuth, oids.clientAuth], [oids.anyExtendedKeyUsage]]) {
    assert.equal(verify(ca.intermediate({ extendedKeyUsage: purposes }).svid(web).chain).id, web);
  }
});

test('XS-13: the same extension twice is refused', () => {
  const second = subjectAltName({ uris: ['spiffe://shop.example/admin'], dnsNames: [] });
  refusesLeaf('IDN0201', { moreExtensions: [second] });
});

test('intermediates may come in any order, with others among them and with the root', () => {
  const lower = ca.intermediate().intermediate();
  const [leaf, ...others] = lower.svid(web).chain;
  assert.ok(leaf);
  const strangers = [ca.intermediate().certificate.der, testCa('other.example').certificate.der];
  assert.equal(verify([leaf, ...others.reverse(), ...strangers, ca.certificate.der]).id, web);
  refuses('IDN0207', [leaf, ...others.slice(1)]);
});

test('a leaf that is not the first of its chain is not looked for', () => {
  const { chain } = ca.intermediate().svid(web);
  refuses('IDN0109', [...chain].reverse());
});

test('an empty chain and one without end are refused', () => {
  refuses('IDN0202', []);
  const { chain } = ca.svid(web);
  refuses('IDN0202', [...chain, ...Array.from({ length: 8 }, () => ca.certificate.der)]);
});

test('many intermediates of one name cost a bounded number of signatures and are refused', () => {
  const same = { commonName: 'same' };
  const issuers = Array.from({ length: 7 }, () => ca.intermediate(same).certificate.der);
  const [leaf] = testCa('shop.example', same).svid(web).chain;
  assert.ok(leaf);
  refuses('IDN0207', [leaf, ...issuers]);
});

test('FD-03: an SVID is verified with the bundle of its own trust domain only', () => {
  const other = testCa('other.example');
  refuses('IDN0208', other.svid(web).chain, other.bundle);
  refuses('IDN0208', ca.svid('spiffe://other.example/web').chain);
  refuses('IDN0208', ca.svid('spiffe://shop.example.evil/web').chain);
  refuses('IDN0207', other.svid(web).chain);
});

test('TB-05: an empty bundle verifies nothing', () => {
  refuses('IDN0207', ca.svid(web).chain, { ...ca.bundle, x509Authorities: [] });
});

test('every authority of a bundle counts, tainted ones too', () => {
  const other = testCa('shop.example');
  const x509Authorities = [...other.bundle.x509Authorities, { der: ca.certificate.der, tainted: true }];
  assert.equal(verify(ca.svid(web).chain, { ...ca.bundle, x509Authorities }).id, web);
  assert.equal(verify(other.svid(web).chain, { ...ca.bundle, x509Authorities }).id, web);
});

test('what was verified once is verified again: never past its validity, never with another bundle', () => {
  const root = testCa('shop.example', { notAfter: now + hour });
  const { chain } = root.intermediate({ notAfter: now + hour / 2 }).svid(web);
  assert.equal(verify(chain, root.bundle).id, web);
  assert.equal(
    verify(chain, root.bundle),
    verify(
      chain.map((bytes) => bytes.slice()),
      root.bundle,
    ),
  );
  refuses('IDN0209', chain, root.bundle, now + 0.75 * hour);
  refuses('IDN0209', chain, root.bundle, now - 24 * hour);
  refuses('IDN0207', chain, ca.bundle);
  refuses('IDN0207', chain, { ...root.bundle, x509Authorities: [] });
  refuses('IDN0208', chain, { ...root.bundle, trustDomain: parseTrustDomain('other.example') });
  assert.equal(verify(chain, root.bundle).id, web);
});

test('no more than 1024 chains are remembered with a bundle, the newest ones', () => {
  const bundle = { ...ca.bundle };
  const [leaf] = ca.svid(web).chain;
  assert.ok(leaf);
  const strangers = [1, 2, 3, 4].map(() => ca.intermediate().certificate.der);
  const digits = (count: number) => count.toString(4).padStart(6, '0');
  const chains = Array.from({ length: 1025 }, (_, count) => [
    leaf,
    ...[...digits(count)].map((digit) => strangers[Number(digit)] ?? assert.fail()),
  ]);
  const [first = [], second = []] = chains;
  const before = [verify(first, bundle), verify(second, bundle)];
  for (const chain of chains.slice(2)) verify(chain, bundle);
  assert.equal(verify(second, bundle), before[1]);
  assert.notEqual(verify(first, bundle), before[0]);
});

test('the claimed ID comes from a leaf that could be an SVID, and is no proof', () => {
  assert.equal(claimedSvidId(testCa('shop.example').svid(web).chain), web);
  for (const chain of [[], [ca.certificate.der], ca.svid(web, { uris: [web, web] }).chain]) {
    assert.throws(() => claimedSvidId(chain), isFault);
  }
});

test('a certificate with any byte changed or cut off is refused with a fault', () => {
  const { chain } = ca.svid(web, { dns: ['web.shop.example'] });
  const [leaf] = chain;
  assert.ok(leaf);
  const isRefused = (bytes: Uint8Array) => assert.throws(() => verify([bytes]), isFault);
  const change = fc.tuple(fc.nat(leaf.length - 1), fc.integer({ min: 1, max: 255 }));
  const changed = fc.property(change, ([at, by]) => {
    const bytes = leaf.slice();
    bytes[at] = (bytes[at] ?? 0) ^ by;
    isRefused(bytes);
  });
  fc.assert(changed, { numRuns: 500 });
  for (let length = 0; length < leaf.length; length += 7) isRefused(leaf.slice(0, length));
  isRefused(Buffer.concat([leaf, Buffer.of(0)]));
});

test('bytes that are no certificate are refused with a fault', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assert.throws(() => verify([bytes]), isFault);
    assert.throws(() => verify([...ca.svid(web).chain, bytes]), isFault);
  });
  fc.assert(property, { numRuns: 50 });
});
