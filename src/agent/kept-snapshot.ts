import { createPrivateKey } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { fault, isFault } from '../base/faults/fault.js';
import { type SealedFile, sealedFile } from '../disk/sealed-file.js';
import { checkSelector } from '../registration/selector.js';
import type { Bundle } from '../spiffe/bundle.js';
import { bundleFromJwks, bundleToJwks } from '../spiffe/bundle-jwks.js';
import { parseTrustDomain, parseWorkloadId, type SpiffeId, type TrustDomain } from '../spiffe/id.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { Log } from '../telemetry/log.js';
import { acceptSvid } from './issued-svid.js';
import type { AgentEntry, Snapshot } from './snapshot.js';

/** What an agent could hand out when it last knew, over a restart: opt-in, since workloads' keys are part of it. */
export interface KeptSnapshots {
  /**
   * What `agent` kept, without the SVIDs that have expired; `undefined` when there is nothing. What is damaged, of another
   * agent or not vouched for is logged and left out: all of it, or the one SVID.
   */
  load(agent: SpiffeId): Snapshot | undefined;
  /** One at a time. Throws the errors of the operating system. */
  save(agent: SpiffeId, snapshot: Snapshot): Promise<void>;
  /** Leaves nothing behind. */
  wipe(): void;
}

const formatVersion = 1;

/** Kept in `folder`, which only the agent's own user may change (`openStateStore` looks), encrypted by `sealedFile`. */
export function openKeptSnapshots(
  folder: string,
  trustDomain: TrustDomain,
  options: { clock: Clock; log: Log },
): KeptSnapshots {
  const file = sealedFile(folder, 'svid-cache');
  const boundTo = (agent: SpiffeId) => `plastron svid cache\n${trustDomain}\n${agent}`;
  return {
    load(agent) {
      try {
        const text = file.read(boundTo(agent));
        return text === undefined ? undefined : parse(text, trustDomain, options);
      } catch (error) {
        options.log.error({ error: unusable(file, error) }, 'the kept SVIDs are not used');
        return undefined;
      }
    },
    save: (agent, snapshot) => file.write(boundTo(agent), format(snapshot)),
    wipe: () => file.remove(),
  };
}

function unusable({ path }: SealedFile, error: unknown) {
  return fault(
    'AGT0104',
    { path, problem: error instanceof Error ? error.message : 'unknown' },
    { cause: error },
  );
}

function format({ entries, svids, bundle, federated }: Snapshot): string {
  return JSON.stringify({
    version: formatVersion,
    entries,
    svids: [...svids].map(([entryId, { chain, privateKey }]) => ({
      entryId,
      chain: chain.map(base64),
      privateKey: base64(privateKey),
    })),
    bundles: [bundle, ...federated.values()].map((one) => ({
      trustDomain: one.trustDomain,
      jwks: bundleToJwks(one),
    })),
  });
}

/** What `format` wrote; nobody else can have written it, but an older or newer agent can. */
interface Format {
  readonly version: number;
  readonly entries: readonly AgentEntry[];
  readonly svids: readonly {
    readonly entryId: string;
    readonly chain: readonly string[];
    readonly privateKey: string;
  }[];
  readonly bundles: readonly { readonly trustDomain: string; readonly jwks: string }[];
}

function parse(text: string, trustDomain: TrustDomain, options: { clock: Clock; log: Log }): Snapshot {
  const { version, entries, svids, bundles }: Format = JSON.parse(text);
  if (version !== formatVersion) throw new Error(`its version is ${version}`);
  const [bundle, ...federated] = bundles.map(({ trustDomain: of, jwks }) =>
    bundleFromJwks(parseTrustDomain(of), jwks),
  );
  if (bundle?.trustDomain !== trustDomain) throw new Error('the bundle of the trust domain is missing');
  const checked = entries.map(checkEntry);
  const byId = new Map(checked.map((entry) => [entry.id, entry]));
  const usable = svids.flatMap(({ entryId, chain, privateKey }): [string, X509Svid][] => {
    const entry = byId.get(entryId);
    const svid = entry && readSvid(entry, chain.map(bytes), bytes(privateKey), bundle, options);
    return svid ? [[entryId, svid]] : [];
  });
  return {
    entries: checked,
    svids: new Map(usable),
    bundle,
    federated: new Map(federated.map((one) => [one.trustDomain, one])),
  };
}

function checkEntry(entry: AgentEntry): AgentEntry {
  return {
    ...entry,
    spiffeId: parseWorkloadId(entry.spiffeId),
    selectors: entry.selectors.map(checkSelector),
    federatesWith: entry.federatesWith.map((name) => parseTrustDomain(name)),
  };
}

/** The same checks as when it came from the server. */
function readSvid(
  { id: entry, spiffeId }: AgentEntry,
  chain: readonly Uint8Array[],
  pkcs8: Buffer,
  bundle: Bundle,
  { clock, log }: { clock: Clock; log: Log },
): X509Svid | undefined {
  try {
    const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    return acceptSvid(chain, key, bundle, (id) => id === spiffeId, clock.now());
  } catch (error) {
    if (!isFault(error)) throw error;
    log.warn({ entry, id: spiffeId, error }, 'a kept SVID is not used');
    return undefined;
  }
}

const base64 = (der: Uint8Array): string => Buffer.from(der).toString('base64');
const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
