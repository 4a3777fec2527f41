import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { endChild, temporaryFolder } from '../support/children.js';
import { freePort } from '../support/plastron.js';
import { untilSuccess } from './until-success.js';

/** Why SPIRE's server cannot be run here. */
export function spireServerMissing(): string | false {
  return process.env.SPIRE_SERVER_BIN ? false : 'SPIRE_SERVER_BIN is not set';
}

/** SPIRE's own server of `shop.example` as a process, with an operator who uses its command line. */
export async function spireServerProcess(t: TestContext, nodeCa: string) {
  const program = process.env.SPIRE_SERVER_BIN ?? '';
  const folder = temporaryFolder(t);
  const port = await freePort();
  const adminSocket = join(folder, 'admin.sock');
  const config = join(folder, 'server.conf');
  writeFileSync(config, configuration({ folder, port, adminSocket, nodeCa }));
  const child = spawn(program, ['run', '-config', config], { stdio: 'ignore' });
  t.after(() => endChild(child));
  const operator = (...command: string[]) => outputOfSpire(program, [...command, '-socketPath', adminSocket]);
  return {
    folder,
    port,
    adminSocket,
    operator,
    bundle: await untilSuccess(() => operator('bundle', 'show')),
  };
}

function outputOfSpire(program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.stderr.on('data', (data) => {
      errors += data;
    });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new Error(errors || output))));
  });
}

interface Settings {
  folder: string;
  port: number;
  adminSocket: string;
  nodeCa: string;
}

function configuration({ folder, port, adminSocket, nodeCa }: Settings): string {
  return `
server {
  bind_address = "127.0.0.1"
  bind_port = "${port}"
  socket_path = "${adminSocket}"
  trust_domain = "shop.example"
  data_dir = "${folder}"
  log_level = "WARN"
}
plugins {
  DataStore "sql" {
    plugin_data {
      database_type = "sqlite3"
      connection_string = "${join(folder, 'datastore.sqlite3')}"
    }
  }
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
  NodeAttestor "x509pop" { plugin_data { ca_bundle_path = "${nodeCa}" } }
}
`;
}
