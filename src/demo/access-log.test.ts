import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { followAccessLog } from './access-log.js';

test('an access log is read line by line as it grows, half a line only once it is whole', async (t) => {
  const path = join(temporaryFolder(t), 'access.log');
  const line = (method: string) => `${JSON.stringify({ event: 'request', method, rule: 'é' })}\n`;
  writeFileSync(path, line('GET'));
  const log = followAccessLog(path);
  log.skip();
  const [start, end] = [line('PUT').slice(0, 10), line('PUT').slice(10)];
  appendFileSync(path, line('POST') + start);
  const next = log.next(({ method }) => method === 'PUT');
  appendFileSync(path, end + line('PATCH'));
  assert.equal((await next)?.rule, 'é');
  assert.equal((await log.next(({ method }) => method === 'PATCH'))?.method, 'PATCH');
  assert.equal(await log.next(({ method }) => method === 'GET'), undefined);
});
