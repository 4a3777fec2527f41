import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Ending } from './children.js';
import { apiCredentials, listenOnPort } from './http-server.js';

export const podUid = '2c48913c-b29f-11e7-9350-020968147796';
export const containerId = '9bca8d63d5fa610783847915bcff0ecac1273e5b4bed3f6fa1b07350e0135961';

/** A pod as a kubelet of Kubernetes 1.30 tells it in `/pods`, as far as somebody reads it and a bit more. */
export function podOfKubelet(uid = podUid, container = containerId) {
  const digest =
    'docker.io/library/web@sha256:bf862e5f5eca0a73e7e538224578c5cf867ce2be91b5eaed22afc153c00363eb';
  return {
    metadata: {
      name: 'web-7d4b9c-x2v5k',
      generateName: 'web-7d4b9c-',
      namespace: 'shop',
      uid,
      creationTimestamp: '2026-01-02T03:04:05Z',
      labels: { app: 'web', 'pod-template-hash': '7d4b9c' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-7d4b9c', uid: 'owner-uid', controller: true },
      ],
    },
    spec: { nodeName: 'node-1', serviceAccountName: 'web-account', containers: [{ name: 'web' }] },
    status: {
      phase: 'Running',
      containerStatuses: [
        { name: 'sidecar', image: 'docker.io/library/sidecar:2', imageID: '', ready: false },
        {
          name: 'web',
          state: { running: { startedAt: '2026-01-02T03:04:06Z' } },
          ready: true,
          image: 'docker.io/library/web:1',
          imageID: digest,
          containerID: `containerd://${container}`,
        },
      ],
      initContainerStatuses: [
        {
          name: 'setup',
          image: 'docker.io/library/setup:1',
          imageID: 'sha256:setup',
          containerID: `containerd://${'a'.repeat(64)}`,
        },
      ],
    },
  };
}

/** The kubelet of a node, over TLS for who has the bearer token and on its read-only port. Change its fields at any time. */
export async function testKubelet(t: Ending) {
  const { tls, caFile, tokenFile } = apiCredentials(t, 'node-agent');
  const kubelet = {
    pods: [podOfKubelet()] as object[],
    /** Every request, as `GET /…`. */
    requests: [] as string[],
    /** Answers instead, where it is set. */
    answer: undefined as ((response: ServerResponse) => void) | undefined,
    caFile,
    tokenFile,
    url: '',
    readOnlyPort: 0,
  };
  const serve = (isOpen: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    kubelet.requests.push(`${request.method} ${request.url}`);
    if (kubelet.answer) return kubelet.answer(response);
    const known = isOpen || request.headers.authorization === 'Bearer node-agent';
    if (!known) return response.writeHead(401, { 'content-type': 'text/plain' }).end('Unauthorized');
    if (request.url !== '/pods') return response.writeHead(404).end('404 page not found');
    const list = { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: kubelet.pods };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list));
  };
  kubelet.url = `https://localhost:${await listenOnPort(t, createServer(tls, serve(false)))}`;
  kubelet.readOnlyPort = await listenOnPort(t, createPlainServer(serve(true)));
  return kubelet;
}
