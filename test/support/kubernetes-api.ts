import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { TestContext } from 'node:test';
import { apiCredentials, listenOnPort } from './http-server.js';

/** What an API server says of a token, in `status` of a TokenReview. */
export interface Review {
  authenticated?: boolean;
  error?: string;
  user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  audiences?: string[];
}

/** A TokenReview of Kubernetes 1.30 for a token that is bound to a pod. */
export function reviewOf(account: string, pod: { name: string; uid: string }): Review {
  const [namespace] = account.split(':');
  return {
    authenticated: true,
    user: {
      username: `system:serviceaccount:${account}`,
      uid: 'ca29bd95-36a8-11e9-b8af-080027b25557',
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/credential-id': ['JTI=7ee52be0-9045-4653-aa5e-0da57b8dccdc'],
        'authentication.kubernetes.io/pod-name': [pod.name],
        'authentication.kubernetes.io/pod-uid': [pod.uid],
      },
    },
    audiences: ['spire-server'],
  };
}

/**
 * The API of a Kubernetes cluster as far as k8s_psat uses it, over HTTPS: TokenReviews, pods and nodes, for who has the right
 * bearer token. Change its fields at any time.
 */
export async function kubernetesCluster(t: TestContext) {
  const { tls, caFile, tokenFile } = apiCredentials(t, 'reviewer');
  const cluster = {
    reviews: new Map<string, Review>(),
    /** By path below `/api/v1/`. */
    objects: new Map<string, object>(),
    /** Every request, as `POST /apis/…`. */
    requests: [] as string[],
    /** Bodies of the TokenReviews that were asked for. */
    asked: [] as unknown[],
    /** Answers instead, where it is set. */
    answer: undefined as ((response: ServerResponse) => void) | undefined,
    caFile,
    tokenFile,
    url: '',
  };
  const server = createServer(tls, (request, response) => serve(cluster, request, response));
  cluster.url = `https://localhost:${await listenOnPort(t, server)}`;
  return cluster;
}

export type TestCluster = Awaited<ReturnType<typeof kubernetesCluster>>;

async function serve(
  cluster: TestCluster,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '', headers } = request;
  cluster.requests.push(`${method} ${url}`);
  let body = '';
  for await (const part of request) body += part;
  if (cluster.answer) return cluster.answer(response);
  const send = (status: number, object: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(object));
  const refuse = (code: number, reason: string) =>
    send(code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, code });
  if (headers.authorization !== 'Bearer reviewer') return void refuse(401, 'Unauthorized');
  if (method === 'POST' && url === '/apis/authentication.k8s.io/v1/tokenreviews') {
    const review = JSON.parse(body);
    cluster.asked.push(review);
    const status = cluster.reviews.get(review.spec.token) ?? { user: {}, error: '[invalid bearer token]' };
    return void send(201, { ...review, metadata: { creationTimestamp: null }, status });
  }
  const object = method === 'GET' && cluster.objects.get(url.replace('/api/v1/', ''));
  if (object) return void send(200, object);
  refuse(404, 'NotFound');
}
