import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderBootstrap } from '../../src/envoy/bootstrap.js';
import { type Ending, temporaryFolder } from './children.js';
import { type RunningEnvoy, startEnvoy } from './envoy.js';
import { listenOn } from './http-server.js';

/** A line of the access log that the example bootstraps write. */
export interface AccessLine {
  event: 'request' | 'call' | 'refused';
  caller: string | null;
  service?: string | null;
  method?: string | null;
  path?: string | null;
  code?: number | null;
  details?: string | null;
  rule?: string | null;
  reason?: string | null;
}

export interface ShopEnvoy extends RunningEnvoy {
  /** The socket where its application would make calls (`outbound` and `both`). */
  readonly outbound: { socketPath: string };
  /** The admin interface. */
  readonly adminSocket: string;
  /** What the application behind it received (`inbound` and `both`), oldest first. */
  readonly received: Received[];
  /** Resolves once a policy has come from the agent: an Envoy is LIVE before, and denies everything. */
  policy(): Promise<void>;
  /** The first line of the access log that `isIt` recognises; waits for it. */
  logged(isIt: (line: AccessLine) => boolean): Promise<AccessLine>;
}

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
}

export interface ShopEnvoyOptions {
  /** The socket of the agent, or whoever plays it. */
  agent: string;
  /** Further variables of the bootstrap, such as ORDERS_PORT. */
  values?: Record<string, string | number>;
  /** A last change of the rendered bootstrap, for controls that show what a setting is good for. */
  change?: (bootstrap: string) => string;
  ready?: boolean;
}

/**
 * Runs an Envoy with a file of examples/envoy-configs, in a folder of its own, with an application behind it that answers 200
 * to everything and remembers it.
 */
export async function startShopEnvoy(
  ending: Ending,
  example: 'inbound' | 'outbound' | 'both',
  options: ShopEnvoyOptions,
): Promise<ShopEnvoy> {
  const folder = temporaryFolder(ending);
  const at = (name: string) => join(folder, name);
  const received = example === 'outbound' ? [] : await startApplication(ending, at('app.sock'));
  const config = render(example, {
    AGENT_SOCKET: options.agent,
    ADMIN_SOCKET: at('admin.sock'),
    ACCESS_LOG: at('access.log'),
    ...(example === 'outbound'
      ? {}
      : { APP_SOCKET: at('app.sock'), INBOUND_ADDRESS: '127.0.0.1', INBOUND_PORT: 0 }),
    ...(example === 'inbound' ? {} : { OUTBOUND_SOCKET: at('out.sock') }),
    ...options.values,
  });
  const change = options.change ?? ((text) => text);
  const envoy = await startEnvoy(ending, { config: change(config), ready: options.ready ?? true });
  return {
    ...envoy,
    outbound: { socketPath: at('out.sock') },
    adminSocket: at('admin.sock'),
    received,
    policy: async () => {
      await waitFor(async () => (await envoy.stat(policyStat)) > 0, 'a policy');
    },
    logged: (isIt) => waitFor(() => accessLines(at('access.log')).find(isIt), 'a line of the access log'),
  };
}

const policyStat = 'extension_config_discovery.http_filter.plastron/http.config_reload';

function render(example: string, values: Record<string, string | number>): string {
  const path = `examples/envoy-configs/${example}.yaml`;
  const text = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const strings = Object.entries(values).map(([name, value]): [string, string] => [name, String(value)]);
  return renderBootstrap({ path, text }, new Map(strings));
}

async function startApplication(ending: Ending, socketPath: string): Promise<Received[]> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    response.end('hello');
  });
  await listenOn(ending, server, socketPath);
  return received;
}

function accessLines(path: string): AccessLine[] {
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as AccessLine);
}

/** Asks again and again until there is an answer other than undefined and false; gives up after 20 s. */
export async function waitFor<T>(
  ask: () => T | Promise<T>,
  what: string,
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    await sleep(20);
  }
  throw new Error(`waited 20 s in vain for ${what}`);
}
