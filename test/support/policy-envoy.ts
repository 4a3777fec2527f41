import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CheckedFilter,
  denyAllFilter,
  extensionConfigTypeUrl,
} from '../../src/envoy/rbac/http-filter.js';
import { decode, encode } from '../../src/wire/messages.js';
import { type TestCa, testCa } from './ca.js';
import { type Ending, temporaryFolder } from './children.js';
import { type RunningEnvoy, startEnvoy } from './envoy.js';
import { type Client, http1, http2Client, type TlsTarget } from './http-client.js';

/** A real Envoy that shows what its policy does with each request: the rule that decided and the path that it saw. */
export interface PolicyEnvoy {
  readonly envoy: RunningEnvoy;
  /** Sends one request on a kept connection of this caller; `names` stands in for the URI SANs of its certificate. */
  send(protocol: Protocol, call: PolicyCall, names?: readonly string[]): Promise<Seen>;
}

export interface PushedPolicyEnvoy extends PolicyEnvoy {
  /** Puts a filter named `plastron/http/s` in force; throws when Envoy rejects it. */
  push(filter: Pick<CheckedFilter, 'any'>): Promise<void>;
}

export type Protocol = 'http1' | 'http2';

export interface PolicyCall {
  readonly caller: string;
  readonly method: string;
  readonly path: string;
}

export interface Seen {
  readonly status: number;
  /** The rule that decided; `` when the request never came so far. */
  readonly rule: string;
  /** The path as Envoy saw it, without its query. */
  readonly path: string;
}

/**
 * TLS accepts callers of `trustDomains`, each with an authority of its own; it is the policy that may know fewer. The policy
 * comes from whoever calls `push`.
 */
export async function startPolicyEnvoy(
  ending: Ending,
  trustDomains: readonly string[],
): Promise<PushedPolicyEnvoy> {
  const file = join(temporaryFolder(ending), 'policy.pb');
  writeFileSync(file, asResponse(denyAllFilter('plastron/http/s')));
  const served = await start(ending, trustDomains, { path_config_source: { path: file } });
  const stat = (name: string) =>
    served.envoy.stat(`extension_config_discovery.http_filter.plastron/http/s.${name}`);
  while ((await stat('update_success')) === 0) await sleep(2);
  return {
    ...served,
    push: async (filter) => {
      const before = { success: await stat('update_success'), rejected: await stat('update_rejected') };
      writeFileSync(`${file}.new`, asResponse(filter));
      renameSync(`${file}.new`, file);
      for (;;) {
        if ((await stat('update_success')) > before.success) return;
        if ((await stat('update_rejected')) > before.rejected) {
          throw new Error(`Envoy rejected it: ${served.envoy.logs().slice(-2000)}`);
        }
        await sleep(2);
      }
    },
  };
}

/** The same, with the policy of the service `s` from an xDS server on a unix socket. */
export function startServedPolicyEnvoy(
  ending: Ending,
  trustDomains: readonly string[],
  socket: string,
): Promise<PolicyEnvoy> {
  const services = [{ envoy_grpc: { cluster_name: 'xds' } }];
  const source = {
    api_config_source: { api_type: 'DELTA_GRPC', transport_api_version: 'V3', grpc_services: services },
  };
  return start(ending, trustDomains, source, [xdsCluster(socket)]);
}

async function start(
  ending: Ending,
  trustDomains: readonly string[],
  source: object,
  clusters: readonly object[] = [],
): Promise<PolicyEnvoy> {
  const cas = new Map(trustDomains.map((name) => [name, testCa(name)]));
  const config = JSON.stringify(bootstrap(cas, { resource_api_version: 'V3', ...source }, clusters));
  const envoy = await startEnvoy(ending, { config, logLevel: 'warning' });
  const clients = new Map<string, Client>();
  ending.after(() => {
    for (const client of clients.values()) client.close();
  });
  return {
    envoy,
    send: async (protocol, { caller, method, path }, names = [caller]) => {
      const key = `${protocol} ${names.join()}`;
      const client = clients.get(key) ?? (await connect(envoy, cas, protocol, caller, names));
      clients.set(key, client);
      const { status, headers } = await client.send({ method, path });
      // Envoy closes an HTTP/1 connection that it cannot make sense of, soon after its answer.
      if (status === 400) {
        client.close();
        clients.delete(key);
      }
      const [, denier = ''] =
        /^rbac_access_denied_matched_policy\[(.*)\]$/.exec(String(headers['x-details'])) ?? [];
      const seen = String(headers['x-path'] ?? '');
      return { status, rule: String(headers['x-rule'] ?? denier), path: seen.split('?')[0] ?? '' };
    },
  };
}

function asResponse({ any }: Pick<CheckedFilter, 'any'>): Buffer {
  const { type_url = '', value = Buffer.alloc(0) } = decode('google.protobuf.Any', any);
  return encode('envoy.service.discovery.v3.DiscoveryResponse', {
    type_url: extensionConfigTypeUrl,
    resources: [{ type_url, value }],
  });
}

async function connect(
  envoy: RunningEnvoy,
  cas: ReadonlyMap<string, TestCa>,
  protocol: Protocol,
  caller: string,
  names: readonly string[],
): Promise<Client> {
  const svid = cas.get(caller.split('/')[2] ?? '')?.svid(caller, { uris: names });
  if (!svid) throw new Error(`no authority for ${caller}`);
  const target: TlsTarget = {
    port: await envoy.port('policy'),
    identity: { cert: svid.chainPem, key: svid.keyPem },
  };
  return protocol === 'http1' ? http1(target) : http2Client(target);
}

function bootstrap(cas: ReadonlyMap<string, TestCa>, source: object, clusters: readonly object[]) {
  return {
    node: { id: 'policy', cluster: 'policy' },
    admin: { address: anyPort },
    static_resources: {
      clusters,
      listeners: [
        {
          name: 'policy',
          address: anyPort,
          filter_chains: [
            {
              transport_socket: { name: 'tls', typed_config: tlsContext([...cas.values()]) },
              filters: [{ name: 'http', typed_config: connectionManager(source) }],
            },
          ],
        },
      ],
    },
  };
}

const anyPort = { socket_address: { address: '127.0.0.1', port_value: 0 } };

function tlsContext(cas: readonly TestCa[]) {
  const server = cas[0]?.svid(`spiffe://${cas[0].trustDomain}/s`);
  if (!server) throw new Error('there must be a trust domain');
  const bundles = cas.map((ca) => ({ name: ca.trustDomain, trust_bundle: inline(ca.bundlePem) }));
  const validator = any('envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig', {
    trust_domains: bundles,
  });
  return any('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
    require_client_certificate: true,
    common_tls_context: {
      alpn_protocols: ['h2', 'http/1.1'],
      tls_certificates: [{ certificate_chain: inline(server.chainPem), private_key: inline(server.keyPem) }],
      validation_context: {
        custom_validator_config: { name: 'envoy.tls.cert_validator.spiffe', typed_config: validator },
      },
    },
  });
}

function connectionManager(source: object) {
  const path = header('x-path', '%REQ(:PATH)%');
  const details = header('x-details', '%RESPONSE_CODE_DETAILS%');
  const rule = header(
    'x-rule',
    '%DYNAMIC_METADATA(envoy.filters.http.rbac:live_enforced_effective_policy_id)%',
  );
  const isError = { comparison: { op: 'GE', value: { default_value: 400, runtime_key: 'least' } } };
  const host = {
    name: 'all',
    domains: ['*'],
    routes: [{ match: { prefix: '' }, direct_response: { status: 200 } }],
  };
  return any('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'policy',
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'REJECT_REQUEST',
    local_reply_config: {
      mappers: [{ filter: { status_code_filter: isError }, headers_to_add: [path, details] }],
    },
    http_filters: [
      { name: 'plastron/http/s', config_discovery: policyFrom(source) },
      { name: 'router', typed_config: any('envoy.extensions.filters.http.router.v3.Router', {}) },
    ],
    route_config: { response_headers_to_add: [path, rule], virtual_hosts: [host] },
  });
}

function policyFrom(source: object) {
  return {
    config_source: source,
    type_urls: ['type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC'],
    apply_default_config_without_warming: true,
    default_config: any('envoy.extensions.filters.http.rbac.v3.RBAC', { rules: {} }),
  };
}

function xdsCluster(socket: string) {
  const endpoint = { address: { pipe: { path: socket } } };
  return {
    name: 'xds',
    load_assignment: { cluster_name: 'xds', endpoints: [{ lb_endpoints: [{ endpoint }] }] },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': any(
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        { explicit_http_config: { http2_protocol_options: {} } },
      ),
    },
  };
}

function any(name: string, value: object) {
  return { '@type': `type.googleapis.com/${name}`, ...value };
}

function inline(text: string) {
  return { inline_string: text };
}

function header(key: string, value: string) {
  return { header: { key, value } };
}
