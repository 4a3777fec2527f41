import { createServer } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Service } from '../../src/demo/services.js';
import { temporaryFolder } from './children.js';
import { listenOn } from './http-server.js';

/** The two sockets of a service's Envoy, as far as the demo looks at them, answered by a test. */
export interface FakeEnvoy {
  readonly service: Service;
  /** What the outbound socket answers to the request with this number, from 0 on; `cut` closes the connection. */
  answer: (index: number) => number | 'cut';
  /** What /certs shows. */
  serial: string;
  /** Whether /certs was asked for. */
  lookedAt: boolean;
  /** `cluster.orders.upstream_cx_total` */
  connectionsOpened: number;
}

export async function startFakeEnvoy(t: TestContext): Promise<FakeEnvoy> {
  const folder = temporaryFolder(t);
  const service: Service = {
    name: 'web',
    user: undefined,
    envoy: '/nowhere/envoy',
    folder,
    outboundSocket: join(folder, 'outbound.sock'),
    adminSocket: join(folder, 'admin.sock'),
    accessLog: join(folder, 'access.log'),
  };
  const fake: FakeEnvoy = { service, answer: () => 200, serial: '1', lookedAt: false, connectionsOpened: 1 };
  let index = 0;
  const outbound = createServer((request, response) => {
    const answer = fake.answer(index++);
    if (answer === 'cut') request.socket.destroy();
    else response.writeHead(answer).end();
  });
  const admin = createServer(({ url }, response) => {
    if (url?.startsWith('/certs')) {
      response.end(JSON.stringify({ certificates: [{ cert_chain: [{ serial_number: fake.serial }] }] }));
      fake.lookedAt = true;
    } else {
      const stat = { name: 'cluster.orders.upstream_cx_total', value: fake.connectionsOpened };
      response.end(JSON.stringify({ stats: [stat] }));
    }
  });
  await listenOn(t, outbound, service.outboundSocket);
  await listenOn(t, admin, service.adminSocket);
  return fake;
}
