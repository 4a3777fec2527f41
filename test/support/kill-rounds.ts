import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dialUnix } from '../../src/transport/dial-unix.js';
import { serviceDefinition } from '../../src/wire/services.js';
import { endChild, temporaryFolder } from './children.js';
import { freePort, startPlastron } from './plastron.js';
import { followSecrets } from './running-agent.js';
import { agentApi, bundleApi, entryApi, entryMessage } from './running-server.js';
import { seededRandom } from './seeded-random.js';
import { until } from './until.js';

export interface KillOptions {
  rounds: number;
  /** The same seed kills the same processes after the same delays. */
  seed: string;
  /** Seconds: how long the agent's own SVID lasts. Short ones make kills hit renewals. */
  agentTtl: number;
}

/**
 * Runs a server and an agent as processes, and kills (-9) the one, the other or both at random moments, again and again. After
 * every round everything must have healed by itself: the same authority, the same entries, the same agent, a sync with the
 * server that lives now, and a workload that gets a valid SVID from the agent that lives now.
 */
export async function surviveKills(t: TestContext, { rounds, seed, agentTtl }: KillOptions): Promise<void> {
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const node = await startNode(t, agentTtl);
  const before = await node.facts();
  for (let round = 0; round < rounds; round++) {
    await sleep(random() * 500);
    const [server, agent] = [
      [true, false],
      [false, true],
      [true, true],
    ][Math.floor(random() * 3)] ?? [true, true];
    await Promise.all([server && node.killServer(), agent && node.killAgent()]);
    await sleep(random() * 200);
    const since = Math.floor(Date.now() / 1000);
    if (server) node.startServer();
    if (agent) node.startAgent();
    await node.healed(t, since);
    assert.deepEqual(await node.facts(), before, `after round ${round}`);
  }
}

async function startNode(t: TestContext, agentTtl: number) {
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  const address = `127.0.0.1:${await freePort()}`;
  const run = (role: string, args: Record<string, string>, env = {}) =>
    startPlastron(t, [role, 'run', '--trust-domain', 'shop.example', ...Object.entries(args).flat()], env);
  const serverArgs = {
    '--data-dir': at('server'),
    '--listen': address,
    '--admin-socket': at('s.sock'),
    '--x509-svid-ttl': String(agentTtl),
  };
  const agentArgs = {
    '--server': address,
    '--data-dir': at('agent'),
    '--socket': at('w.sock'),
    '--admin-socket': at('a.sock'),
    '--sync-interval': '1',
  };
  let server = run('server', serverArgs);
  const admin = dialUnix(at('s.sock'));
  t.after(() => admin.close());
  const { value: token = '' } = await untilAnswered(() =>
    admin.unary(agentApi.CreateJoinToken, {
      ttl: 600,
      agent_id: { trust_domain: 'shop.example', path: '/node/demo' },
    }),
  );
  const selectors = [`unix:uid:${process.geteuid?.()}`];
  const web = entryMessage('/web', '/node/demo', selectors, { x509_svid_ttl: 6 });
  await admin.unary(entryApi.BatchCreateEntry, { entries: [web] });
  const fingerprint = await bundleFingerprint(admin);
  const startAgent = (): ChildProcess =>
    run('agent', { ...agentArgs, '--trust-bundle-sha256': fingerprint }, { PLASTRON_JOIN_TOKEN: token });
  let agent = startAgent();
  const agentAdmin = dialUnix(at('a.sock'));
  t.after(() => agentAdmin.close());
  const info = () =>
    untilAnswered(() => agentAdmin.unary(serviceDefinition('spire.agent.debug.v1.Debug').GetInfo, {}));
  const synced = async (since: number) => {
    while (Number((await info()).last_sync_success ?? 0) < since) await sleep(50);
  };
  await synced(1);
  return {
    killServer: () => endChild(server),
    killAgent: () => endChild(agent),
    startServer: () => {
      server = run('server', serverArgs);
    },
    startAgent: () => {
      agent = startAgent();
    },
    async healed(test: TestContext, since: number) {
      await synced(since);
      const client = followSecrets(test, at('w.sock'), 'default');
      await until(() => client.resources.has('default') || client.ended !== undefined);
      assert.equal(client.ended, undefined);
    },
    async facts() {
      const { entries = [] } = await untilAnswered(() => admin.unary(entryApi.ListEntries, {}));
      const { agents = [] } = await admin.unary(agentApi.ListAgents, {});
      const { svid_chain = [] } = await info();
      return {
        bundle: await bundleFingerprint(admin),
        entries: entries.map(({ id, revision_number }) => [id, revision_number]).sort(),
        agents: agents.map(({ id }) => id?.path),
        agent: svid_chain[0]?.id?.path,
      };
    },
  };
}

/** Repeats a call until somebody answers it: the process may be starting. */
async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!String(error).includes('UNAVAILABLE')) throw error;
      await sleep(50);
    }
  }
}

async function bundleFingerprint(admin: ReturnType<typeof dialUnix>): Promise<string> {
  const { x509_authorities = [] } = await admin.unary(bundleApi.GetBundle, {});
  const pem = x509_authorities.map(
    ({ asn1 = Buffer.alloc(0) }) =>
      `-----BEGIN CERTIFICATE-----\n${asn1.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  );
  return createHash('sha256').update(pem.sort().join('')).digest('hex');
}
