import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { serviceDefinition } from '../wire/services.js';
import { dialUnix } from './dial-unix.js';
import { reflectionServices } from './reflection.js';
import { serveUnix } from './unix-server.js';

const { ServerReflectionInfo } = serviceDefinition('grpc.reflection.v1.ServerReflection');

test('reflection answers one request after the other, and says of each what it answers', async (t) => {
  const path = join(temporaryFolder(t), 'r.sock');
  const server = await serveUnix({ path, mode: 0o600, services: reflectionServices([]) });
  const connection = dialUnix(path);
  t.after(async () => {
    connection.close();
    await server.close();
  });
  const stream = connection.stream(ServerReflectionInfo);
  const answers = stream.responses[Symbol.asyncIterator]();
  const ask = async (request: Parameters<typeof stream.send>[0]) => {
    stream.send(request);
    return (await answers.next()).value ?? assert.fail('the stream ended');
  };
  const notFound = 5;
  const file = await ask({ host: 'h', file_by_filename: 'grpc/reflection/v1/reflection.proto' });
  assert.equal(file.valid_host, 'h');
  assert.equal(file.original_request?.file_by_filename, 'grpc/reflection/v1/reflection.proto');
  assert.equal(file.file_descriptor_response?.file_descriptor_proto?.length, 1);
  const method = 'grpc.reflection.v1.ServerReflection.ServerReflectionInfo';
  assert.ok((await ask({ file_containing_symbol: method })).file_descriptor_response);
  const type = 'grpc.reflection.v1.ErrorResponse';
  const extensions = await ask({ all_extension_numbers_of_type: type });
  assert.equal(extensions.all_extension_numbers_response?.base_type_name, type);
  for (const request of [
    { file_by_filename: 'none.proto' },
    { file_containing_symbol: 'none' },
    { all_extension_numbers_of_type: 'none' },
    { file_containing_extension: { containing_type: type, extension_number: 1 } },
  ]) {
    assert.equal((await ask(request)).error_response?.error_code, notFound);
  }
  const invalidArgument = 3;
  assert.equal((await ask({})).error_response?.error_code, invalidArgument);
  stream.end();
  assert.equal((await answers.next()).done, true);
});
