import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type Ending, temporaryFolder } from './children.js';
import { listenOn } from './http-server.js';

/** What `docker inspect` shows of a container, as the Engine API 1.47 answers it, as far as somebody reads it and a bit more. */
export function containerOfEngine(id: string, pid: number) {
  return {
    Id: id,
    Created: '2026-01-02T03:04:05.678901234Z',
    Path: '/docker-entrypoint.sh',
    Args: ['envoy'],
    State: { Status: 'running', Running: true, Paused: false, Pid: pid, ExitCode: 0, Error: '' },
    Image: 'sha256:644f45f6626c2b8c0d7a1e4f4a8c3f6b6f1d9a0b7c8d9e0f1a2b3c4d5e6f7a8b',
    Name: '/web',
    HostConfig: { NetworkMode: 'bridge', CgroupnsMode: 'private' },
    Config: {
      Hostname: id.slice(0, 12),
      Env: ['ENVIRONMENT=prod', 'PATH=/usr/bin'] as string[] | null,
      Cmd: ['envoy'],
      Image: 'envoyproxy/envoy:contrib-v1.29.1',
      Labels: { 'com.example.name': 'web' } as Record<string, string> | null,
    },
  };
}

/** The API of a Docker Engine over a unix socket, as far as `inspect` uses it. Change its fields at any time. */
export async function dockerEngine(t: Ending) {
  const engine = {
    socket: join(temporaryFolder(t), 'docker.sock'),
    containers: new Map<string, object>(),
    /** Every request, as `GET /…`. */
    requests: [] as string[],
    /** Answers instead, where it is set. */
    answer: undefined as ((url: string, response: ServerResponse) => boolean) | undefined,
  };
  const server = createServer(({ method, url = '' }, response) => {
    engine.requests.push(`${method} ${url}`);
    if (engine.answer?.(url, response)) return;
    const send = (status: number, object: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(object)}\n`);
    if (url === '/version')
      return send(200, { Version: '27.3.1', ApiVersion: '1.47', MinAPIVersion: '1.24' });
    const id = /^\/v1\.47\/containers\/([^/]+)\/json$/.exec(url)?.[1] ?? '';
    const container = engine.containers.get(id);
    if (container) return send(200, container);
    send(404, { message: `No such container: ${id}` });
  });
  await listenOn(t, server, engine.socket);
  return engine;
}
