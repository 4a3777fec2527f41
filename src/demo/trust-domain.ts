import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Service } from './services.js';
import type { Stage } from './stage.js';
import { until } from './waiting.js';

const run = promisify(execFile);

/** The program that this demo is part of. */
export const plastron = fileURLToPath(new URL('../cli/main.js', import.meta.url));

const trustDomain = 'shop.example';
const nodeAlias = `spiffe://${trustDomain}/node/demo`;

export interface TrustDomainOptions {
  readonly policyFolder: string;
  /** How long the services' SVIDs last. They are renewed at half their life. */
  readonly svidSeconds: number;
}

export interface TrustDomain {
  /** Where the server listens for agents, `host:port`. */
  readonly address: string;
  /** The server's, for `plastron entry list` and its like. */
  readonly adminSocket: string;
  /** The agent's, for Envoys. */
  readonly agentSocket: string;
  /** The agent's, for its own user. */
  readonly agentAdminSocket: string;
}

/** Starts the server and the agent by the commands that a person would type, and waits until both answer. */
export async function startTrustDomain(stage: Stage, options: TrustDomainOptions): Promise<TrustDomain> {
  const at = (name: string) => join(stage.folder, name);
  const places: TrustDomain = {
    address: `127.0.0.1:${await freePort()}`,
    adminSocket: at('server.sock'),
    agentSocket: at('agent.sock'),
    agentAdminSocket: at('agent-admin.sock'),
  };
  const { adminSocket, agentSocket } = places;
  startServer(stage, places, options);
  await until({ what: 'the start of the server', seconds: 20, signal: stage.signal }, () =>
    answers(adminSocket),
  );

  const [bundle, token] = [at('bundle.pem'), at('token')];
  const ask = async (file: string, ...words: string[]) => {
    const args = [plastron, ...words, '--admin-socket', adminSocket];
    const { stdout } = await run(process.execPath, args, { signal: stage.signal });
    writeFileSync(file, stdout, { mode: 0o600 });
  };
  await Promise.all([ask(bundle, 'bundle', 'show'), ask(token, 'node', 'token', '--spiffe-id', nodeAlias)]);

  startAgent(stage, places, { bundle, token });
  await until({ what: 'the start of the agent', seconds: 20, signal: stage.signal }, () =>
    answers(agentSocket),
  );
  return places;
}

function startServer(
  { crew, folder, services }: Stage,
  { adminSocket, address }: TrustDomain,
  { policyFolder, svidSeconds }: TrustDomainOptions,
): void {
  const entries = join(folder, 'entries.yaml');
  writeFileSync(entries, entriesOf(services, svidSeconds));
  crew.start({
    name: 'server',
    command: process.execPath,
    args: [
      ...[plastron, 'server', 'run', '--trust-domain', trustDomain, '--listen', address],
      ...['--data-dir', join(folder, 'server'), '--admin-socket', adminSocket],
      ...['--policy', policyFolder, '--entries', entries],
    ],
    log: join(folder, 'server.log'),
  });
}

function startAgent(
  { crew, folder }: Stage,
  { address, agentSocket, agentAdminSocket }: TrustDomain,
  { bundle, token }: { bundle: string; token: string },
): void {
  crew.start({
    name: 'agent',
    command: process.execPath,
    args: [
      ...[plastron, 'agent', 'run', '--trust-domain', trustDomain, '--server', address],
      ...['--data-dir', join(folder, 'agent'), '--socket', agentSocket],
      ...['--admin-socket', agentAdminSocket],
      ...['--trust-bundle', bundle, '--join-token-file', token],
    ],
    log: join(folder, 'agent.log'),
  });
}

/** Who is who: as users of their own by their number, else by the path of their Envoy. JSON is YAML. */
function entriesOf(services: readonly Service[], svidSeconds: number): string {
  const entries = services.map(({ name, user, envoy }) => ({
    name,
    spiffeId: `spiffe://${trustDomain}/${name}`,
    parentId: nodeAlias,
    selectors: [user === undefined ? `unix:path:${envoy}` : `unix:uid:${user}`],
    x509SvidTtl: svidSeconds,
  }));
  return `${JSON.stringify({ version: 1, entries }, null, 2)}\n`;
}

/** Whether somebody listens on a unix socket. */
async function answers(path: string): Promise<boolean> {
  const socket = net.connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}
