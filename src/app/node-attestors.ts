import { readFileSync } from 'node:fs';
import { joinTokenEvidence } from '../agent/join-token-evidence.js';
import { joinTokenVerifier } from '../attestation/node/join-token/verify.js';
import { readClusters } from '../attestation/node/k8s-psat/clusters-file.js';
import { k8sPsatProver } from '../attestation/node/k8s-psat/prove.js';
import { k8sPsatVerifier } from '../attestation/node/k8s-psat/verify.js';
import type { NodeProver } from '../attestation/node/prover.js';
import type { NodeVerifier } from '../attestation/node/verifier.js';
import { x509PopProver } from '../attestation/node/x509-pop/prove.js';
import { readNodeAuthorities, x509PopVerifier } from '../attestation/node/x509-pop/verify.js';
import type { Clock } from '../base/clock.js';
import { type Fault, fault } from '../base/faults/fault.js';
import type { SourceFile } from '../base/source.js';
import type { Registry } from '../server/registry.js';
import type { TrustDomain } from '../spiffe/id.js';

/** How nodes may attest to a server. Join tokens work always. */
export interface AttestorSettings {
  /** PEM: the authorities of nodes' certificates. */
  readonly x509PopCa?: SourceFile;
  /** YAML: the clusters of Kubernetes. */
  readonly k8sPsat?: SourceFile;
}

/** One a method that was asked for. Throws ATT0305, ATT0404. */
export function nodeVerifiers(
  { x509PopCa, k8sPsat }: AttestorSettings,
  registry: Registry,
  trustDomain: TrustDomain,
  clock: Clock,
): NodeVerifier[] {
  const verifiers = [joinTokenVerifier(registry, trustDomain, clock)];
  if (x509PopCa) {
    const authorities = readNodeAuthorities(x509PopCa.path, x509PopCa.text);
    verifiers.push(x509PopVerifier(authorities, trustDomain, clock));
  }
  if (k8sPsat) verifiers.push(k8sPsatVerifier(readClusters(k8sPsat), trustDomain));
  return verifiers;
}

/** What an agent attests its node with: one of these. Files are read again at every attempt. */
export interface EvidenceSettings {
  readonly joinToken: { readonly file?: string; readonly token?: string };
  readonly x509Pop?: { readonly certFile: string; readonly keyFile: string };
  readonly k8sPsat?: { readonly cluster: string; readonly tokenFile: string };
}

/** Throws AGT0407 for more than one way; what it gives throws AGT0406, ATT0304, ATT0406 while a file is not as it must be. */
export function nodeEvidence({
  joinToken,
  x509Pop,
  k8sPsat,
}: EvidenceSettings): () => NodeProver | undefined {
  const ways: [name: string, evidence: () => NodeProver | undefined][] = [];
  if (joinToken.file !== undefined || joinToken.token !== undefined) {
    ways.push(['a join token', joinTokenEvidence(joinToken)]);
  }
  if (x509Pop) ways.push(['a certificate', () => x509PopEvidence(x509Pop)]);
  if (k8sPsat) ways.push(['a Kubernetes token', () => k8sPsatEvidence(k8sPsat)]);
  if (ways.length > 1) throw fault('AGT0407', { ways: ways.map(([name]) => name).join(', ') });
  return ways[0]?.[1] ?? (() => undefined);
}

function x509PopEvidence({ certFile, keyFile }: { certFile: string; keyFile: string }): NodeProver {
  const read = (path: string) =>
    textOf(path, (problem, cause) => fault('ATT0304', { path, problem }, { cause }));
  return x509PopProver({ path: certFile, chainPem: read(certFile), keyPem: read(keyFile) });
}

function k8sPsatEvidence({ cluster, tokenFile: path }: { cluster: string; tokenFile: string }): NodeProver {
  const token = textOf(path, (reason, cause) => fault('ATT0406', { path, reason }, { cause }));
  return k8sPsatProver({ cluster, token: token.trim() });
}

function textOf(path: string, refuse: (problem: string, cause: unknown) => Fault): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw refuse((error as NodeJS.ErrnoException).code ?? 'it cannot be read', error);
  }
}
