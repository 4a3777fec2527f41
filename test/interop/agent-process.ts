import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startPlastron } from '../support/plastron.js';

export interface AgentPlace {
  /** Where its files go. */
  readonly folder: string;
  /** Of a server on loopback. */
  readonly port: number;
  /** The trust bundle, as PEM. */
  readonly bundle: string;
  readonly joinToken: string;
}

/** Our agent of `shop.example` as a process of its own; `socket` is the one for workloads. */
export function agentProcess(t: TestContext, place: AgentPlace, more: readonly string[] = []) {
  const at = (name: string) => join(place.folder, name);
  const socket = at('agent.sock');
  writeFileSync(at('join-token'), place.joinToken, { mode: 0o600 });
  writeFileSync(at('bundle.pem'), place.bundle);
  const child = startPlastron(t, [
    ...['agent', 'run', '--trust-domain', 'shop.example', '--server', `127.0.0.1:${place.port}`],
    ...['--data-dir', at('agent'), '--socket', socket, '--admin-socket', at('agent-admin.sock')],
    ...['--trust-bundle', at('bundle.pem'), '--join-token-file', at('join-token'), ...more],
  ]);
  return { child, socket };
}
