import { fault } from '../../../base/faults/fault.js';
import type { Json } from '../../../base/json.js';
import { jsonAt, listAt, textAt, textsAt } from '../../../base/json-path.js';
import { httpsJson } from '../../../transport/https-json.js';
import { type ClusterFiles, clusterCredentials } from '../../cluster-credentials.js';

/** How the API server of a cluster is called. */
export interface ApiServer extends ClusterFiles {
  /** `https://…` with nothing behind host and port. */
  readonly url: string;
}

/** What the cluster says about a token. */
export interface TokenStatus {
  readonly username: string;
  readonly audiences: readonly string[];
  /** By key, of the user's `extra`. */
  extra(key: string): string | undefined;
}

export interface KubernetesObject {
  readonly uid: string;
  readonly labels: ReadonlyMap<string, string>;
  /** A text below the root, by its path; empty when it is not there. */
  text(...path: string[]): string;
}

/** The three calls of SPIRE's plugin. Each throws ATT0403 when the API server does not answer as it must. */
export interface KubernetesApi {
  /** `undefined` for a token that the cluster does not accept. */
  reviewToken(token: string, audiences: readonly string[]): Promise<TokenStatus | undefined>;
  pod(namespace: string, name: string): Promise<KubernetesObject>;
  node(name: string): Promise<KubernetesObject>;
}

const timeoutMs = 5_000;
/** A node lists its images. */
const maxBytes = 4 * 1024 * 1024;

export function kubernetesApi(server: ApiServer): KubernetesApi {
  const call = async (path: string, body?: unknown): Promise<Json> => {
    const answer = await httpsJson({
      url: new URL(path, server.url),
      ...clusterCredentials(server, (problem, cause) => fault('ATT0403', { problem }, { cause })),
      ...(body === undefined ? {} : { body }),
      timeoutMs,
      maxBytes,
    });
    if (answer.status === 200 || answer.status === 201) return answer.body;
    throw fault('ATT0403', { problem: `${path} was answered with ${answer.status}` });
  };
  return {
    reviewToken: async (token, audiences) => {
      const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' };
      const review = { ...kind, spec: { token, audiences } };
      return tokenStatus(await call('/apis/authentication.k8s.io/v1/tokenreviews', review));
    },
    pod: async (namespace, name) =>
      objectOf(await call(`/api/v1/namespaces/${checkName(namespace)}/pods/${checkName(name)}`)),
    node: async (name) => objectOf(await call(`/api/v1/nodes/${checkName(name)}`)),
  };
}

function tokenStatus(review: Json): TokenStatus | undefined {
  const status = jsonAt(review, 'status');
  if (jsonAt(status, 'authenticated') !== true || textAt(status, 'error') !== '') return undefined;
  return {
    username: textAt(status, 'user', 'username'),
    audiences: listAt(status, 'audiences').filter((each) => typeof each === 'string'),
    extra: (key) => {
      const [value, ...others] = listAt(status, 'user', 'extra', key);
      return typeof value === 'string' && others.length === 0 ? value : undefined;
    },
  };
}

function objectOf(body: Json): KubernetesObject {
  return {
    uid: textAt(body, 'metadata', 'uid'),
    labels: new Map(textsAt(body, 'metadata', 'labels')),
    text: (...path) => textAt(body, ...path),
  };
}

/** DNS names as Kubernetes has them (RFC 1123): nothing that could lead to another path. */
function checkName(name: string): string {
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name) && !name.includes('..')) return name;
  throw fault('ATT0403', { problem: `it named something \`${name}\`, which is no name in Kubernetes` });
}
