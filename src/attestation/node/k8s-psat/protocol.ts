import { fault } from '../../../base/faults/fault.js';
import { MalformedJson, parseJson } from '../../../base/json.js';

/** The name of the method, and the type of its selectors. */
export const k8sPsatType = 'k8s_psat';

/** What a node shows: a projected service account token of its agent's pod, and the name that the server knows the cluster by. */
export interface PsatEvidence {
  readonly cluster: string;
  /** **Secret**: whoever has it can attest as that node. */
  readonly token: string;
}

const maxTokenLength = 16 * 1024;
const maxPayloadBytes = 32 * 1024;

/** As SPIRE's plugin writes it, in JSON. */
export function writeEvidence({ cluster, token }: PsatEvidence): Uint8Array {
  return Buffer.from(JSON.stringify({ cluster, token }));
}

/** Throws ATT0401. */
export function readEvidence(payload: Uint8Array): PsatEvidence {
  const evidence = payload.length > maxPayloadBytes ? undefined : jsonOf(payload);
  if (!(evidence instanceof Map)) throw malformed('it is no JSON object of a sensible size');
  const [cluster, token] = [evidence.get('cluster'), evidence.get('token')];
  if (typeof cluster !== 'string' || cluster === '') throw malformed('it names no cluster');
  if (typeof token !== 'string' || token === '') throw malformed('it has no token');
  // A JWT in its compact form (RFC 7519) and nothing else gets as far as the API server.
  if (token.length > maxTokenLength || !/^[A-Za-z0-9._-]+$/.test(token)) {
    throw malformed('its token is no JSON Web Token');
  }
  return { cluster, token };
}

function jsonOf(bytes: Uint8Array) {
  try {
    return parseJson(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    if (error instanceof MalformedJson) return undefined;
    throw error;
  }
}

const malformed = (problem: string) => fault('ATT0401', { problem });
