import { writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { testCa } from './ca.js';
import { type Ending, temporaryFolder } from './children.js';

/** Has a server listen on a unix socket until the test ends. */
export async function listenOn(t: Ending, server: Server, socketPath: string): Promise<void> {
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  endWith(t, server);
}

/** Has a server listen on a port of 127.0.0.1, which it gives, until the test ends. */
export async function listenOnPort(t: Ending, server: Server | TlsServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endWith(t, server);
  return (server.address() as AddressInfo).port;
}

function endWith(t: Ending, server: Server | TlsServer): void {
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
}

/** The certificate of an API on `localhost`, and for its clients the files with its authority and a bearer token. */
export function apiCredentials(t: Ending, token: string) {
  const ca = testCa('kubernetes.example');
  const { chainPem: cert, keyPem: key } = ca.svid('api', { uris: [], dns: ['localhost'] });
  const folder = temporaryFolder(t);
  const [caFile, tokenFile] = [join(folder, 'ca.crt'), join(folder, 'token')];
  writeFileSync(caFile, ca.certificate.pem);
  writeFileSync(tokenFile, `${token}\n`);
  return { tls: { cert, key }, caFile, tokenFile };
}
