import type { Clock } from '../base/clock.js';
import { readCertificate } from '../spiffe/certificate.js';
import type { SvidSource } from '../spiffe/source.js';
import type { Log } from '../telemetry/log.js';
import type { Authorities } from './authorities.js';
import type { Registry } from './registry.js';

export interface ReadinessOptions {
  readonly registry: Pick<Registry, 'serverId' | 'checkWritable'>;
  readonly authorities: Pick<Authorities, 'issueOwn'>;
  /** The server's own SVID. */
  readonly identity: SvidSource;
  readonly clock: Clock;
  readonly log: Log;
}

/** Milliseconds for which an answer is given again: whoever asks often does not wear the disk out. */
const keptMs = 1000;

/** Whether the server can do what it is for, found out by doing it: write to the store, and sign. Why not is logged once. */
export function readiness(options: ReadinessOptions): () => Promise<boolean> {
  const { clock, log } = options;
  let last: { readonly at: number; readonly ready: Promise<boolean> } | undefined;
  let failing = false;
  const find = async (): Promise<boolean> => {
    try {
      await tryEverything(options);
      if (failing) log.info({}, 'the server is ready again');
      failing = false;
    } catch (error) {
      if (!failing) log.error({ error }, 'the server is not ready');
      failing = true;
    }
    return !failing;
  };
  return () => {
    const now = clock.now();
    if (!last || Math.abs(now - last.at) >= keptMs) last = { at: now, ready: find() };
    return last.ready;
  };
}

async function tryEverything({ registry, authorities, identity, clock }: ReadinessOptions): Promise<void> {
  await registry.checkWritable();
  const own = identity.current();
  if (!own || clock.now() > own.notAfter) throw new Error("the server's own SVID has expired");
  const { publicKey } = readCertificate(own.chain[0] ?? new Uint8Array());
  await authorities.issueOwn({ id: registry.serverId, publicKey, dnsNames: [], ttlSeconds: 60 });
}
