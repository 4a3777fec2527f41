import { writePrivateFile } from '../../src/disk/private-file.js';
import type { GrpcConnection } from '../../src/transport/grpc-client.js';
import { serviceDefinition } from '../../src/wire/services.js';

/** Has a server write a backup into a file, as `plastron server backup` does. */
export async function backUp(server: { admin: GrpcConnection }, path: string): Promise<string> {
  await writePrivateFile(path, backupOf(server.admin));
  return path;
}

async function* backupOf(admin: GrpcConnection): AsyncGenerator<Uint8Array> {
  const stream = admin.stream(serviceDefinition('plastron.server.v1.Backup').CreateBackup);
  stream.send({});
  stream.end();
  for await (const { data } of stream.responses) if (data) yield data;
}
