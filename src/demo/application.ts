import { rmSync } from 'node:fs';
import { createServer } from 'node:http';

// The application of a service, as a program of its own:
//   node application.js NAME SOCKET [USER]
// It listens on a unix socket that only its own user may open, and answers every request with what it was asked and who asked:
// the caller that its Envoy vouches for in x-forwarded-client-cert. It opens no other connection.

const [name = 'nameless', socket = 'app.sock', user] = process.argv.slice(2);

// Changed here and not by whoever starts it, since another user may not be allowed to read Node's own files.
if (user !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}
process.umask(0o177);

const server = createServer((request, response) => {
  const certificate = request.headers['x-forwarded-client-cert'];
  const caller = /(?:^|;)URI=([^;,]+)/.exec(String(certificate))?.[1] ?? null;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ service: name, caller, method: request.method, path: request.url })}\n`);
});
// One that an earlier life left behind, as when a container starts again.
rmSync(socket, { force: true });
server.listen(socket);

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
