import { lstatSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fault } from '../base/faults/fault.js';
import { changesByOthers, isOpenToOthers, isOursAlone, writePrivateFile } from '../disk/private-file.js';
import type { Bundle } from '../spiffe/bundle.js';
import { bundleFromJwks, bundleToJwks } from '../spiffe/bundle-jwks.js';
import { parseTrustDomain, parseWorkloadId, type TrustDomain } from '../spiffe/id.js';
import type { X509Svid } from '../spiffe/x509-svid.js';

/** What an agent keeps across restarts: who it is, and whom it trusts. Workloads' keys are never part of it. */
export interface AgentState {
  /** The agent's own SVID with its key. */
  readonly svid: X509Svid;
  readonly bundle: Bundle;
  /** Whether the server lets this node attest again instead of renewing. */
  readonly reattestable: boolean;
}

export interface StateStore {
  /** `undefined` when there is none yet. Throws AGT0102 and AGT0103. */
  load(): AgentState | undefined;
  /** One at a time. Throws the errors of the operating system. */
  save(state: AgentState): Promise<void>;
}

const fileName = 'agent-state.json';

/**
 * The agent's state as one file in `folder`, written atomically (a kill at any moment leaves the old or the new one) and
 * readable by its owner alone. The folder is made if it is missing; throws AGT0101 when other users could change it.
 */
export function openStateStore(folder: string, trustDomain: TrustDomain): StateStore {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (isOpenToOthers(statSync(folder), changesByOthers)) throw fault('AGT0101', { path: folder });
  const path = join(folder, fileName);
  return {
    load() {
      // A link has every access, so it is refused with the rest.
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (!stats) return undefined;
      if (!isOursAlone(stats)) throw fault('AGT0101', { path });
      const state = parseState(path, readFileSync(path, 'utf8'));
      if (state.bundle.trustDomain !== trustDomain) {
        throw fault('AGT0103', { path: folder, found: state.bundle.trustDomain, trustDomain });
      }
      return state;
    },
    save: (state) => writePrivateFile(path, formatState(state)),
  };
}

function formatState({ svid, bundle, reattestable }: AgentState): string {
  const { id, chain, privateKey, notBefore, notAfter } = svid;
  return `${JSON.stringify({
    version: 1,
    id,
    chain: chain.map(base64),
    privateKey: base64(privateKey),
    notBefore,
    notAfter,
    reattestable,
    trustDomain: bundle.trustDomain,
    bundle: bundleToJwks(bundle),
  })}\n`;
}

function parseState(path: string, text: string): AgentState {
  try {
    const { version, id, chain, privateKey, notBefore, notAfter, reattestable, trustDomain, bundle } =
      JSON.parse(text);
    if (version !== 1) throw new Error(`its version is ${version}`);
    if (![notBefore, notAfter].every(Number.isSafeInteger)) throw new Error('its times are not numbers');
    return {
      svid: {
        id: parseWorkloadId(id),
        chain: chain.map((der: string) => Buffer.from(der, 'base64')),
        privateKey: Buffer.from(privateKey, 'base64'),
        notBefore,
        notAfter,
      },
      bundle: bundleFromJwks(parseTrustDomain(trustDomain), bundle),
      // Agents before there was a way to attest again did not write it.
      reattestable: reattestable === true,
    };
  } catch (error) {
    throw fault(
      'AGT0102',
      { path, problem: error instanceof Error ? error.message : 'unknown' },
      { cause: error },
    );
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
