import { asExpected, type CallOutcome, makeCalls, plannedCalls } from './calls.js';
import { findEnvoy } from './envoy-binary.js';
import { type PolicyFlip, watchFlip } from './flip.js';
import { type PolicyFile, writePolicyFile } from './policy-file.js';
import { connectionsHeld, type RotationOutcome, watchRotation } from './rotation.js';
import { inboundPort, isLive, type Service, type ServiceName, startService } from './services.js';
import { openStage, type Stage } from './stage.js';
import { startTrustDomain, type TrustDomain } from './trust-domain.js';
import { unlessAborted, until } from './waiting.js';

/** Whoever watches the demo: a person at a terminal, or the writer of JSON. */
export interface Audience {
  /** Runs a step that may take long. */
  during<T>(step: string, work: () => Promise<T>): Promise<T>;
  /** Hears something worth knowing that is no result. */
  say(sentence: string): void;
  started(setting: Setting): void;
  called(calls: readonly CallOutcome[]): void;
  flipped(flips: PolicyFlips): void;
  rotated(rotation: RotationOutcome): void;
}

/** What runs, and where. */
export interface Setting extends TrustDomain {
  readonly policy: PolicyFile;
  readonly services: ReadonlyMap<ServiceName, Service>;
  readonly started_ms: number;
}

/** Both directions of one change of the policy. */
export interface PolicyFlips {
  readonly allowed: PolicyFlip;
  readonly denied: PolicyFlip;
}

export interface Outcome {
  readonly setting: Setting;
  readonly calls: readonly CallOutcome[];
  readonly flips: PolicyFlips;
  readonly rotation: RotationOutcome;
}

export interface DemoOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly audience: Audience;
  /** Ends the demo wherever it is; what it was aborted with is thrown. */
  readonly signal: AbortSignal;
  /** Awaited at the end, while everything still runs. */
  linger(outcome: Outcome, signal: AbortSignal): Promise<void>;
}

/**
 * Server, agent and three services behind real Envoys, as processes: who may call whom, a change of the policy, the rotation
 * of SVIDs. However it ends, it leaves no process. When it throws a fault the logs stay until the next run.
 */
export async function runDemo({ env, audience, signal, linger }: DemoOptions): Promise<Outcome> {
  const began = performance.now();
  const envoy = await audience.during('finding Envoy', () =>
    unlessAborted(signal, findEnvoy(env, audience.say)),
  );
  const stage = openStage(envoy, env, signal);
  let failed = false;
  try {
    const setting = await setUp(stage, audience, began);
    const outcome = await show(setting, stage, audience);
    await linger(outcome, stage.signal);
    return outcome;
  } catch (error) {
    failed = !signal.aborted;
    if (failed) audience.say(`the logs of this run are in ${stage.folder}`);
    // What the loss of a process led to is not what went wrong.
    throw stage.signal.aborted ? stage.signal.reason : error;
  } finally {
    await stage.close(failed);
  }
}

/** Short, so that they are renewed while the demo still runs. */
const svidSeconds = 10;

async function setUp(stage: Stage, audience: Audience, began: number): Promise<Setting> {
  const policy = writePolicyFile(stage.folder);
  const trustDomain = await audience.during('starting the server and the agent', () =>
    startTrustDomain(stage, { policyFolder: policy.folder, svidSeconds }),
  );
  await audience.during('starting the services', () => startServices(stage, trustDomain.agentSocket));
  const setting: Setting = {
    ...trustDomain,
    policy,
    services: new Map(stage.services.map((service) => [service.name, service])),
    started_ms: Math.round(performance.now() - began),
  };
  audience.started(setting);
  return setting;
}

/** Each after those that it calls, whose ports it needs to know; then all of them until they are live. */
async function startServices({ crew, services, signal }: Stage, agentSocket: string): Promise<void> {
  const ports = new Map<ServiceName, number>();
  for (const service of services) {
    startService(crew, service, agentSocket, ports);
    if (service.name === 'intruder') continue;
    const wait = { what: `the start of the Envoy of ${service.name}`, seconds: 20, signal };
    ports.set(service.name, await until(wait, () => inboundPort(service)));
  }
  for (const service of services) {
    await until({ what: `the SVID of ${service.name}`, seconds: 20, signal }, () => isLive(service));
  }
}

async function show(setting: Setting, { signal }: Stage, audience: Audience): Promise<Outcome> {
  const { services, policy } = setting;
  const [web, orders] = [services.get('web'), services.get('orders')];
  if (!web || !orders) throw new Error('the demo has no web and no orders');

  const calls = await audience.during('making calls', () => makeCalls(plannedCalls, services, signal));
  audience.called(calls);

  const cancel = { to: 'orders', method: 'DELETE', path: '/v1/orders/7' } as const;
  const flips = await audience.during('editing the policy', async () => ({
    allowed: await watchFlip(
      web,
      { request: cancel, before: 403, after: 200, save: policy.allowCancel },
      signal,
    ),
    denied: await watchFlip(
      web,
      { request: cancel, before: 200, after: 403, save: policy.forbidCancel },
      signal,
    ),
  }));
  audience.flipped(flips);

  const read = { to: 'orders', method: 'GET', path: '/v1/orders/7' } as const;
  const rotation = await audience.during('waiting for SVIDs to reach half their life', () =>
    watchRotation(web, read, [web, orders], signal),
  );
  audience.rotated(rotation);
  return { setting, calls, flips, rotation };
}

/** Whether everything went as it should. */
export function held({ calls, flips, rotation }: Outcome): boolean {
  const smooth = [flips.allowed, flips.denied].every(
    (flip) => flip.same_connection && flip.failed_requests === 0,
  );
  const kept = rotation.connections_kept === connectionsHeld && rotation.failed_requests === 0;
  return calls.length === plannedCalls.length && calls.every(asExpected) && smooth && kept;
}
