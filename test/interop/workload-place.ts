import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { endChild } from '../support/children.js';
import { agentProcess } from './agent-process.js';
import { buildGoAgent } from './go-agent-program.js';
import { serverProcess } from './server-process.js';
import { untilSuccess } from './until-success.js';

/** What a client of the Workload API is told, in whatever language it is written. */
export interface WorkloadPlan {
  readonly socket: string;
  readonly id: string;
  readonly peerId: string;
  readonly peerAddress: string;
}

const node = 'spiffe://shop.example/node/one';
const web = 'spiffe://shop.example/web';
const orders = 'spiffe://shop.example/orders';

/**
 * A server and an agent as processes, and a peer in Go that is `orders`, to call and to be called by. Whatever else this user
 * runs is `web`. SVIDs last so briefly that a new one comes every few seconds.
 */
export async function workloadPlace(t: TestContext): Promise<WorkloadPlan> {
  const { folder, port, operator, bundle } = await serverProcess(t);
  const peer = join(folder, 'peer');
  copyFileSync(buildGoAgent(folder), peer);
  await makeEntry(operator, orders, '--selector', `unix:path:${peer}`, '--default');
  await makeEntry(operator, web, '--selector', `unix:uid:${process.getuid?.()}`);
  const joinToken = await operator('node', 'token', '--spiffe-id', node);
  const socket = `unix:${agentProcess(t, { folder, port, bundle, joinToken }).socket}`;
  const peerAddress = await untilSuccess(() => startPeer(t, peer, { socket, id: orders, peerId: web }));
  return { socket, id: web, peerId: orders, peerAddress };
}

type Operator = (...command: string[]) => Promise<string>;

async function makeEntry(operator: Operator, id: string, ...more: string[]): Promise<void> {
  const what = ['--spiffe-id', id, '--parent-id', node, '--x509-svid-ttl', '8'];
  await operator('entry', 'create', ...what, ...more);
}

/** Starts the peer, and gives the address that it says it serves on. */
async function startPeer(t: TestContext, program: string, plan: Omit<WorkloadPlan, 'peerAddress'>) {
  const child = spawn(program, ['peer'], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => endChild(child));
  child.stdin.write(`${JSON.stringify(plan)}\n`);
  const ended = once(child, 'exit').then(() => {
    throw new Error('the peer ended');
  });
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  return (JSON.parse(line) as { address: string }).address;
}
