import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toPem } from '../src/base/pem.js';
import { type Ending, endChild, temporaryFolder } from '../test/support/children.js';
import { startPlastron } from '../test/support/plastron.js';
import { bundleApi, joinToken } from '../test/support/running-server.js';
import type { BenchServer } from './servers.js';
import { startSpireProgram } from './spire.js';

/** An agent of `shop.example` as a process: ours or SPIRE's. Its socket answers once it is attested. */
export interface BenchAgent {
  readonly pid: number;
  readonly socket: string;
  stop(): Promise<void>;
}

/** The parent of entries that these agents serve. */
export const node = '/node/bench';

/** Selectors of whoever belongs to this user. */
export const selectors = [`unix:uid:${process.geteuid?.()}`];

export type StartAgent = (ending: Ending, server: BenchServer) => Promise<BenchAgent>;

export const startOurAgent: StartAgent = async (ending, server) => {
  const folder = temporaryFolder(ending);
  const socket = join(folder, 'agent.sock');
  const child = startPlastron(
    ending,
    [
      ...['agent', 'run', '--trust-domain', 'shop.example', '--server', server.address],
      ...['--data-dir', join(folder, 'data'), '--socket', socket, '--admin-socket', join(folder, 'a.sock')],
      ...['--trust-bundle', await bundleFile(server, folder)],
      // What SPIRE's agent has no limit for.
      ...['--max-connections-per-user', '20000', '--log-level', 'warn'],
    ],
    { PLASTRON_JOIN_TOKEN: await tokenFor(server) },
  );
  return agentOf(child, socket);
};

export async function startSpireAgent(
  ending: Ending,
  server: BenchServer,
  binary: string,
): Promise<BenchAgent> {
  const folder = temporaryFolder(ending);
  const socket = join(folder, 'agent.sock');
  const config = join(folder, 'agent.conf');
  const [host = '', port = ''] = server.address.split(':');
  const [bundle, token] = [await bundleFile(server, folder), await tokenFor(server)];
  writeFileSync(config, spireConfig({ folder, socket, host, port, bundle, token }));
  return agentOf(startSpireProgram(ending, binary, config), socket);
}

function spireConfig(values: Record<'folder' | 'socket' | 'host' | 'port' | 'bundle' | 'token', string>) {
  return `agent {
  data_dir = "${values.folder}"
  log_level = "WARN"
  server_address = "${values.host}"
  server_port = ${values.port}
  socket_path = "${values.socket}"
  trust_domain = "shop.example"
  trust_bundle_path = "${values.bundle}"
  join_token = "${values.token}"
}
plugins {
  NodeAttestor "join_token" {
    plugin_data {}
  }
  KeyManager "memory" {
    plugin_data {}
  }
  WorkloadAttestor "unix" {
    plugin_data {}
  }
}
`;
}

function agentOf(child: ChildProcess, socket: string): BenchAgent {
  if (child.pid === undefined) throw new Error('the agent did not start');
  return { pid: child.pid, socket, stop: () => endChild(child) };
}

async function bundleFile({ admin }: BenchServer, folder: string): Promise<string> {
  const { x509_authorities = [] } = await admin.unary(bundleApi.GetBundle, {});
  const path = join(folder, 'bundle.pem');
  writeFileSync(
    path,
    x509_authorities.map(({ asn1 = Buffer.alloc(0) }) => toPem('CERTIFICATE', asn1)).join(''),
  );
  return path;
}

/** A join token for the node that has the entries. */
export const tokenFor = (server: BenchServer): Promise<string> =>
  joinToken(server, { ttl: 600, agent_id: { trust_domain: 'shop.example', path: node } });
