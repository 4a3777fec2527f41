import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { muteAddress } from '../../test/support/mute-address.js';
import { isFault } from '../base/faults/fault.js';
import { serviceDefinition } from '../wire/services.js';
import { dialTls } from './dial-tls.js';
import { createAddresses } from './failover.js';
import { remoteStatus } from './grpc-client.js';

const { Check } = serviceDefinition('grpc.health.v1.Health');

test('the address that answers is kept, and each that does not is followed by the next one, the last by the first', () => {
  const addressList = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}:1$/), { minLength: 1, maxLength: 5 });
  const answers = fc.array(fc.boolean(), { maxLength: 40 });
  fc.assert(
    fc.property(
      addressList,
      answers,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (all, outcomes, random) => {
        const addresses = createAddresses(
          all,
          () => {},
          () => random,
        );
        let at = all.indexOf(addresses.current());
        for (const isAnswered of outcomes) {
          const asked = addresses.current();
          if (isAnswered) addresses.answered(asked);
          else addresses.failed(asked, new Error('away'));
          at = isAnswered ? at : (at + 1) % all.length;
          assert.equal(addresses.current(), all[at]);
          const { trouble } = addresses.states().find(({ address }) => address === asked) ?? assert.fail();
          assert.equal(trouble, isAnswered ? undefined : 'away');
        }
      },
    ),
  );
});

test('clients begin with any of the addresses, so that they spread over all', () => {
  const begun = [0, 0.4, 0.99].map((random) =>
    createAddresses(
      ['a:1', 'b:1', 'c:1'],
      () => {},
      () => random,
    ).current(),
  );
  assert.deepEqual(begun, ['a:1', 'b:1', 'c:1']);
});

test('several calls that fail at one address move on by one address only, and it is told once an outage', () => {
  const told: string[] = [];
  const addresses = createAddresses(
    ['a:1', 'b:1', 'c:1'],
    ({ address, next }) => told.push(`${address} > ${next}`),
    () => 0,
  );
  for (let call = 0; call < 3; call++) addresses.failed('a:1', new Error('away'));
  assert.equal(addresses.current(), 'b:1');
  for (const address of ['b:1', 'c:1', 'a:1', 'b:1']) addresses.failed(address, new Error('away'));
  addresses.answered('c:1');
  addresses.failed('c:1', new Error('away'));
  assert.deepEqual(told, ['a:1 > b:1', 'b:1 > c:1', 'c:1 > a:1', 'c:1 > a:1']);
});

test('a call and a stream to somebody who accepts and says nothing end as if nobody were there', async (t) => {
  const address = await muteAddress(t);
  const connection = dialTls({ address, verifyServer: () => {}, connectTimeoutMs: 50 });
  t.after(() => connection.close());
  const isNoConnection = (error: unknown) =>
    isFault(error, 'TRN0301') &&
    remoteStatus(error) === 'UNAVAILABLE' &&
    /no connection in time/.test(String(error));
  await assert.rejects(connection.unary(Check, {}), isNoConnection);
  const { responses } = connection.stream(
    serviceDefinition('envoy.service.discovery.v3.AggregatedDiscoveryService').DeltaAggregatedResources,
  );
  await assert.rejects(responses[Symbol.asyncIterator]().next(), isNoConnection);
});
