import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dialUnix } from '../src/transport/dial-unix.js';
import type { GrpcConnection } from '../src/transport/grpc-client.js';
import { type Ending, temporaryFolder } from '../test/support/children.js';
import { freePort, startPlastron } from '../test/support/plastron.js';
import { bundleApi } from '../test/support/running-server.js';
import { startSpireProgram } from './spire.js';

/** A server of `shop.example` as a process: ours or SPIRE's, which are driven by the same calls. */
export interface BenchServer {
  readonly pid: number;
  readonly address: string;
  readonly adminSocket: string;
  readonly admin: GrpcConnection;
}

/** In a folder of its own, or in one that it was started in before. */
export async function startOurServer(ending: Ending, folder = temporaryFolder(ending)): Promise<BenchServer> {
  const adminSocket = join(folder, 'admin.sock');
  const address = `127.0.0.1:${await freePort()}`;
  const { pid } = startPlastron(ending, [
    ...['server', 'run', '--trust-domain', 'shop.example', '--data-dir', join(folder, 'data')],
    ...['--listen', address, '--admin-socket', adminSocket],
  ]);
  return untilItAnswers(ending, { pid, address, adminSocket });
}

/** SPIRE's server with SQLite and keys on the disk, as ours has them, and without its rate limits. */
export async function startSpireServer(
  ending: Ending,
  binary: string,
  folder = temporaryFolder(ending),
): Promise<BenchServer> {
  const adminSocket = join(folder, 'admin.sock');
  const port = await freePort();
  const config = join(folder, 'server.conf');
  writeFileSync(config, spireConfig(folder, adminSocket, port));
  const { pid } = startSpireProgram(ending, binary, config);
  return untilItAnswers(ending, { pid, address: `127.0.0.1:${port}`, adminSocket });
}

function spireConfig(folder: string, adminSocket: string, port: number): string {
  return `server {
  bind_address = "127.0.0.1"
  bind_port = ${port}
  socket_path = "${adminSocket}"
  trust_domain = "shop.example"
  data_dir = "${folder}"
  log_level = "INFO"
  ca_key_type = "ec-p256"
  ratelimit {
    attestation = false
    signing = false
  }
}
plugins {
  DataStore "sql" {
    plugin_data {
      database_type = "sqlite3"
      connection_string = "${folder}/spire.sqlite3"
    }
  }
  KeyManager "disk" {
    plugin_data {
      keys_path = "${folder}/keys.json"
    }
  }
  NodeAttestor "join_token" {
    plugin_data {}
  }
}
`;
}

async function untilItAnswers(
  ending: Ending,
  started: { pid: number | undefined; address: string; adminSocket: string },
): Promise<BenchServer> {
  const { pid } = started;
  if (pid === undefined) throw new Error('the server did not start');
  const admin = dialUnix(started.adminSocket);
  ending.after(() => admin.close());
  for (let attempt = 1; ; attempt++) {
    try {
      await admin.unary(bundleApi.GetBundle, {});
      return { ...started, pid, admin };
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(200);
    }
  }
}
