import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkOf, networkOfPeer } from './network.js';

test('an IPv4 address stands for itself, an IPv6 address for its /64, however it is written', () => {
  const networks: [address: string, network: string][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ];
  for (const [address, network] of networks) {
    assert.equal(networkOf(address), network);
    assert.equal(networkOfPeer(`${address}:1234`), network);
  }
});
