import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shop } from '../../test/support/agent.js';
import { type TestCa, testCa } from '../../test/support/ca.js';
import { recordingLog } from '../../test/support/log.js';
import { systemClock } from '../base/clock.js';
import { sha256Hex } from '../base/digest.js';
import { isFault } from '../base/faults/fault.js';
import { silentLog } from '../telemetry/log.js';
import { type BootstrapTrust, bootstrapBundle, type FetchBundle } from './bootstrap-trust.js';
import { createOwnBundle, serverVerifier } from './server-trust.js';

const ours = testCa('shop.example');
const foreign = testCa('shop.example');
const server = 'spiffe://shop.example/spire/server';

/** A server that presents `presented` and sends the bundle of `sends`. */
function answering(sends: TestCa, presented: readonly Uint8Array[]): FetchBundle {
  return async (verifyServer) => {
    verifyServer(presented);
    return sends.bundle;
  };
}

function bootstrap(trust: BootstrapTrust, fetchBundle: FetchBundle, log = silentLog) {
  const address = 'localhost:8081';
  return bootstrapBundle(trust, { address, trustDomain: shop, fetchBundle, clock: systemClock, log });
}

const fingerprintOf = (ca: TestCa) => ({ kind: 'sha256', fingerprint: sha256Hex(ca.bundlePem) }) as const;

test('a bundle that the operator gives is the first bundle, nobody is asked', async () => {
  const given = { kind: 'bundle', bundle: ours.bundle } as const;
  assert.equal(await bootstrap(given, () => assert.fail('asked')), ours.bundle);
});

test('a bundle is taken from the server when its SHA-256 is the one that the operator gave', async () => {
  const fetched = answering(ours, ours.svid(server).chain);
  assert.equal(await bootstrap(fingerprintOf(ours), fetched), ours.bundle);
});

test('a bundle with another SHA-256 is refused', async () => {
  const fetched = answering(foreign, foreign.svid(server).chain);
  await assert.rejects(bootstrap(fingerprintOf(ours), fetched), (error) => isFault(error, 'AGT0202'));
});

test('a server that sends our bundle but does not stand under it is refused', async () => {
  const impostors = [
    foreign.svid(server),
    ours.svid('spiffe://shop.example/web'),
    ours.svid(server, { notAfter: Date.now() - 1000 }),
    ours.svid(server, { uris: [server, 'spiffe://shop.example/web'] }),
  ];
  for (const { chain } of impostors) {
    for (const trust of [fingerprintOf(ours), { kind: 'insecure' } as const]) {
      await assert.rejects(bootstrap(trust, answering(ours, chain)), (error) => isFault(error, 'AGT0201'));
    }
  }
});

test('insecure bootstrap takes what the first server says, and says so', async () => {
  const log = recordingLog();
  const fetchBundle = answering(foreign, foreign.svid(server).chain);
  assert.equal(await bootstrap({ kind: 'insecure' }, fetchBundle, log), foreign.bundle);
  assert.ok(log.lines.some(({ level, sentence }) => level === 'warn' && sentence.startsWith('INSECURE')));
});

test('a server is verified by the bundle of this moment', () => {
  const own = createOwnBundle(shop);
  const verify = serverVerifier({
    address: () => 'localhost:8081',
    trustDomain: shop,
    bundle: own.current,
    clock: systemClock,
  });
  const { chain } = ours.svid(server);
  assert.throws(
    () => verify(chain),
    (error) => isFault(error, 'AGT0201'),
  );
  own.replace(ours.bundle);
  verify(chain);
  own.replace(foreign.bundle);
  assert.throws(
    () => verify(chain),
    (error) => isFault(error, 'AGT0201'),
  );
});

test('an empty bundle or that of another trust domain never replaces the good one', () => {
  const own = createOwnBundle(shop);
  own.replace(ours.bundle);
  for (const bad of [{ ...ours.bundle, x509Authorities: [] }, testCa('other.example').bundle]) {
    assert.throws(
      () => own.replace(bad),
      (error) => isFault(error, 'AGT0203'),
    );
  }
  assert.equal(own.current(), ours.bundle);
});

test('an equal bundle changes nothing, a tainted authority does', () => {
  const own = createOwnBundle(shop);
  let changes = 0;
  own.onChange(() => changes++);
  own.replace(ours.bundle);
  own.replace({ ...ours.bundle, x509Authorities: [...ours.bundle.x509Authorities] });
  assert.equal(own.current(), ours.bundle);
  assert.equal(changes, 1);
  own.replace({
    ...ours.bundle,
    x509Authorities: ours.bundle.x509Authorities.map(({ der }) => ({ der, tainted: true })),
  });
  assert.equal(changes, 2);
});
