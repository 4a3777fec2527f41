import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { endChild, temporaryFolder } from '../support/children.js';

/** Why SPIRE's agent cannot be run here. */
export function spireAgentMissing(): string | false {
  return process.env.SPIRE_AGENT_BIN ? false : 'SPIRE_AGENT_BIN is not set';
}

export interface SpireAgent {
  readonly child: ChildProcess;
  /** What it logged so far. */
  log(): string;
  /** What a command of `spire-agent api` prints; rejects when it fails. */
  api(...command: string[]): Promise<string>;
  /** The folder that `api fetch x509 -write` may write to. */
  readonly folder: string;
}

export interface SpireAgentOptions {
  readonly port: number;
  /** The trust bundle, as PEM. */
  readonly bundle: string;
  /** A line of its configuration: how it attests its node. */
  readonly nodeAttestor: string;
  readonly joinToken?: string;
}

/** SPIRE's own agent as a process, with its state in memory. */
export function spireAgent(t: TestContext, options: SpireAgentOptions): SpireAgent {
  const program = process.env.SPIRE_AGENT_BIN ?? '';
  const folder = temporaryFolder(t);
  const socket = join(folder, 'agent.sock');
  const config = join(folder, 'agent.conf');
  const bundle = join(folder, 'bundle.pem');
  writeFileSync(bundle, options.bundle);
  writeFileSync(config, configuration(folder, socket, bundle, options));
  const token = options.joinToken === undefined ? [] : ['-joinToken', options.joinToken];
  const child = spawn(program, ['run', '-config', config, ...token], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => endChild(child));
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      log += data;
    });
  }
  const api = async (...command: string[]) => {
    const args = ['api', ...command, '-socketPath', socket];
    const { stdout } = await promisify(execFile)(program, args, { encoding: 'utf8' });
    return stdout;
  };
  return { child, log: () => log, api, folder };
}

function configuration(folder: string, socket: string, bundle: string, options: SpireAgentOptions): string {
  return `
agent {
  data_dir = "${folder}"
  log_level = "DEBUG"
  server_address = "127.0.0.1"
  server_port = "${options.port}"
  socket_path = "${socket}"
  trust_bundle_path = "${bundle}"
  trust_domain = "shop.example"
}
plugins {
  ${options.nodeAttestor}
  KeyManager "memory" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}
`;
}
