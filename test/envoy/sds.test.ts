import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { spiffeValidationContext } from '../../src/envoy/validation-context.js';
import { testCa } from '../support/ca.js';
import { temporaryFolder } from '../support/children.js';
import { type RunningEnvoy, startEnvoy } from '../support/envoy.js';
import { attempt, http1 } from '../support/http-client.js';
import { waitFor } from '../support/shop.js';
import { startTestAgent } from '../support/test-agent.js';

// Envoys as they are configured for SPIRE's agent (state of the world, its names, one stream a secret), on our agent's socket.
// Row by row on the wire: src/app/sds.test.ts.

const ca = testCa('shop.example');
const partner = testCa('partner.example');
const [orders, batch] = ['spiffe://shop.example/orders', 'spiffe://shop.example/batch'];
const web = ca.svid('spiffe://shop.example/web');
const reports = ca.svid('spiffe://shop.example/reports');
const visitor = partner.svid('spiffe://partner.example/visitor');
const socket = join(temporaryFolder({ after }), 'agent.sock');
const bundles = [ca.bundle, partner.bundle] as const;
const tcpContext = (...callers: (typeof web)[]) => {
  const ids = callers.map(({ svid }) => svid.id);
  return new Map([['tcp', spiffeValidationContext('tcp', [ca.bundle], ids)]]);
};
const agent = await startTestAgent({ after }, socket, {
  svids: [ca.svid(orders).svid],
  bundles,
  forced: tcpContext(web),
});

/** A listener for each pair of names: its own certificate, and what verifies its callers. */
const listeners = {
  own: ['default', 'ROOTCA'],
  named: [orders, 'spiffe://shop.example'],
  all: ['default', 'ALL'],
  foreign: [orders, 'spiffe://partner.example'],
  batch: [batch, 'ROOTCA'],
  tcp: ['default', 'tcp'],
} as const;

type Listener = keyof typeof listeners;

function configFor(names: readonly Listener[], node: object): string {
  const api_config_source = {
    ...{ api_type: 'GRPC', transport_api_version: 'V3' },
    grpc_services: { envoy_grpc: { cluster_name: 'spire_agent' } },
  };
  const sds_config = { resource_api_version: 'V3', initial_fetch_timeout: '1s', api_config_source };
  const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;
  const http = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'inbound',
    route_config: {
      virtual_hosts: [
        {
          ...{ name: 'all', domains: ['*'] },
          routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
        },
      ],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': type('filters.http.router.v3.Router') },
      },
    ],
  };
  const listener = (name: Listener) => {
    const [certificate, context] = listeners[name];
    const tls = {
      '@type': type('transport_sockets.tls.v3.DownstreamTlsContext'),
      require_client_certificate: true,
      common_tls_context: {
        tls_certificate_sds_secret_configs: [{ name: certificate, sds_config }],
        validation_context_sds_secret_config: { name: context, sds_config },
      },
    };
    return {
      name,
      address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
      filter_chains: [
        {
          transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: tls },
          filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: http }],
        },
      ],
    };
  };
  const endpoint = { endpoint: { address: { pipe: { path: socket } } } };
  return JSON.stringify({
    node: { id: 'orders', cluster: 'orders', ...node },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    static_resources: {
      listeners: names.map(listener),
      clusters: [
        {
          ...{ name: 'spire_agent', connect_timeout: '1s', http2_protocol_options: {} },
          load_assignment: { cluster_name: 'spire_agent', endpoints: [{ lb_endpoints: [endpoint] }] },
        },
      ],
    },
  });
}

const envoy = await startEnvoy({ after }, { config: configFor(Object.keys(listeners) as Listener[], {}) });

/** Who of these callers is answered by a listener. */
async function admitted(listener: Listener, on: RunningEnvoy = envoy): Promise<string[]> {
  const port = await on.port(listener);
  const answers = await Promise.all(
    Object.entries({ web, reports, visitor }).map(async ([name, { chainPem: cert, keyPem: key }]) =>
      (await attempt({ port, identity: { cert, key } })) === 200 ? [name] : [],
    ),
  );
  return answers.flat();
}

async function servedBy(listener: Listener): Promise<Buffer | undefined> {
  const port = await envoy.port(listener);
  const client = await http1({ port, identity: { cert: web.chainPem, key: web.keyPem } });
  client.close();
  return client.certificate();
}

test('SDS-01, SDS-07, SDS-08, SDS-09, SDS-11: an Envoy configured for SPIRE verifies its callers by `ROOTCA`, `ALL` and the ID of a trust domain', async () => {
  assert.deepEqual(await admitted('own'), ['web', 'reports']);
  assert.deepEqual(await admitted('named'), ['web', 'reports']);
  assert.deepEqual(await admitted('all'), ['web', 'reports', 'visitor']);
  assert.deepEqual(await admitted('foreign'), ['visitor']);
});

test('SDS-12, SDS-13, SDS-27: `default` and the SPIFFE ID are the same SVID', async () => {
  assert.deepEqual(await servedBy('named'), await servedBy('own'));
});

test('SDS-14, SDS-29, SDS+4: a secret that may not be had harms no other one, and is served as soon as an entry appears', async () => {
  assert.deepEqual(await admitted('batch'), []);
  agent.give({ svids: [ca.svid(orders).svid, ca.svid(batch).svid] });
  await waitFor(async () => (await admitted('batch')).length === 2, 'the SVID of the new entry');
  assert.doesNotMatch(envoy.logs(), /gRPC config stream .* closed/, 'no stream was ever ended');
});

test('SDS-20, SDS-28, SDS+6: a rotated SVID reaches Envoy, what stays the same does not come again', async () => {
  const contexts = () => envoy.stat('sds.ROOTCA.update_success');
  const before = await contexts();
  const next = ca.svid(orders);
  agent.give({ svids: [next.svid] });
  await waitFor(async () => (await servedBy('own'))?.equals(next.der), 'the new SVID');
  assert.equal(await contexts(), before);
});

test('SDS+9: a validation context with an allow-list refuses everybody else in the handshake, and an empty one everybody', async () => {
  assert.deepEqual(await admitted('tcp'), ['web']);
  agent.give({ forced: tcpContext(reports, web) });
  await waitFor(async () => (await admitted('tcp')).length === 2, 'the longer list');
  agent.give({ forced: tcpContext() });
  await waitFor(async () => (await admitted('tcp')).length === 0, 'the empty list');
  agent.give({ forced: tcpContext(reports) });
  await waitFor(async () => (await admitted('tcp')).join() === 'reports', 'the other list');
  assert.deepEqual(agent.nacks, []);
});

test('SDS-24, SDS-25, SDS-26: an Envoy whose metadata turn the SPIFFE validator off gets a plain CA, and is answered', async (t) => {
  const node = { metadata: { disable_spiffe_cert_validation: true } };
  const plain = await startEnvoy(t, { config: configFor(['own', 'named', 'foreign'], node) });
  assert.deepEqual(await admitted('own', plain), ['web', 'reports']);
  assert.deepEqual(await admitted('foreign', plain), ['visitor']);
  const dump = await plain.admin('/config_dump?resource=dynamic_active_secrets');
  assert.match(dump, /trusted_ca/);
  assert.doesNotMatch(dump, /custom_validator_config/);
  assert.match(await envoy.admin('/config_dump?resource=dynamic_active_secrets'), /custom_validator_config/);
});
