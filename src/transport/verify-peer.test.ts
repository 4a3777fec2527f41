import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { bundlesOf } from '../../test/support/svid-source.js';
import { systemClock } from '../base/clock.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import type { Peer } from './peer.js';
import { verifyPeer, verifyPeerIfPresented } from './verify-peer.js';

const ca = testCa('shop.example');
const web = 'spiffe://shop.example/web';
const presenting = (...presented: readonly Uint8Array[]): Peer => ({ kind: 'tls', presented, address: '' });

test('an SVID of a known trust domain says who the peer is, its serial and its end', () => {
  const svid = ca.intermediate().svid(web, { serial: Buffer.from('0a0b', 'hex') });
  const peer = verifyPeer(presenting(...svid.chain), bundlesOf(ca.bundle), systemClock);
  assert.equal(peer.id, web);
  assert.equal(peer.serial, 'a0b');
  assert.equal(peer.notAfter, Math.floor(svid.svid.notAfter / 1000) * 1000);
});

const refused: [string, FaultCode, readonly Uint8Array[]][] = [
  ['of another authority of the same name', 'TRN0203', testCa('shop.example').svid(web).chain],
  [
    'of a trust domain that is not known',
    'TRN0202',
    testCa('other.example').svid('spiffe://other.example/web').chain,
  ],
  [
    'of our authority in the name of a trust domain that is not known',
    'TRN0202',
    ca.svid('spiffe://other.example/web').chain,
  ],
  ['that is expired', 'TRN0203', ca.svid(web, { notAfter: Date.now() - 1000 }).chain],
  ['that is not valid yet', 'TRN0203', ca.svid(web, { notBefore: Date.now() + 60_000 }).chain],
  ['with two URI names', 'TRN0203', ca.svid(web, { uris: [web, 'spiffe://shop.example/admin'] }).chain],
  ['with its name as a DNS name only', 'TRN0203', ca.svid(web, { uris: [], dns: [web] }).chain],
  ['that may sign others', 'TRN0203', ca.svid(web, { ca: true }).chain],
  ['that is no certificate', 'TRN0203', [Buffer.from('hello')]],
  ['without its intermediate', 'TRN0203', ca.intermediate().svid(web).chain.slice(0, 1)],
];

for (const [what, code, chain] of refused) {
  test(`S15: a certificate ${what} is refused, also where none is needed (${code})`, () => {
    for (const verify of [verifyPeer, verifyPeerIfPresented]) {
      assert.throws(
        () => verify(presenting(...chain), bundlesOf(ca.bundle), systemClock),
        (error) => isFault(error, code),
      );
    }
  });
}

test('a peer that presents nothing is nobody, and refused where somebody is needed', () => {
  const unix: Peer = { kind: 'unix', pid: 1, uid: 0, gid: 0, isAlive: () => true };
  for (const peer of [presenting(), unix]) {
    assert.equal(verifyPeerIfPresented(peer, bundlesOf(ca.bundle), systemClock), undefined);
    assert.throws(
      () => verifyPeer(peer, bundlesOf(ca.bundle), systemClock),
      (error) => isFault(error, 'TRN0201'),
    );
  }
});

test('S16: every call is verified anew: an end, or a bundle that is gone, counts on an open connection', () => {
  const peer = presenting(...ca.svid(web, { notAfter: Date.now() + 60_000 }).chain);
  const bundles = bundlesOf(ca.bundle);
  verifyPeer(peer, bundles, systemClock);
  assert.throws(
    () => verifyPeer(peer, bundles, { now: () => Date.now() + 61_000 }),
    (error) => isFault(error, 'TRN0203'),
  );
  bundles.remove(ca.bundle);
  assert.throws(
    () => verifyPeer(peer, bundles, systemClock),
    (error) => isFault(error, 'TRN0202'),
  );
});
