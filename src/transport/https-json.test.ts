import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { type TestContext, test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { listenOnPort } from '../../test/support/http-server.js';
import { isFault } from '../base/faults/fault.js';
import { httpsJson } from './https-json.js';

const ca = testCa('api.example');
const certificate = ca.svid('api', { uris: [], dns: ['localhost'] });

async function serve(t: TestContext, answer: Parameters<typeof createServer>[1]) {
  const server = createServer({ cert: certificate.chainPem, key: certificate.keyPem }, answer);
  const port = await listenOnPort(t, server);
  return (host = 'localhost', pem = ca.certificate.pem) =>
    httpsJson({
      ...{ url: new URL(`https://${host}:${port}/a`), ca: pem, bearerToken: 'secret' },
      ...{ timeoutMs: 200, maxBytes: 1000 },
    });
}

const failed = (problem: RegExp) => (error: unknown) =>
  isFault(error, 'TRN0401') && problem.test(String(error));

test('an answer is given with its status, whatever that is; a redirect too (S14)', async (t) => {
  let asked = 0;
  const call = await serve(t, (request, response) => {
    asked++;
    assert.equal(request.headers.authorization, 'Bearer secret');
    response.writeHead(302, { location: '/elsewhere' }).end('{"a":1}');
  });
  assert.deepEqual(await call(), { status: 302, body: new Map([['a', 1n]]) });
  assert.equal(asked, 1);
});

test('a server that never answers, or never ends its answer, is not waited for (S14)', async (t) => {
  const silent = await serve(t, () => {});
  await assert.rejects(silent(), failed(/in time/));
  const endless = await serve(t, (_, response) => void response.writeHead(200).write('{'));
  await assert.rejects(endless(), failed(/in time/));
});

test('an answer that is too large, or not JSON, is none (S14)', async (t) => {
  const large = await serve(t, (_, response) => void response.end(`"${'x'.repeat(2000)}"`));
  await assert.rejects(large(), failed(/more than 1000 bytes/));
  const html = await serve(t, (_, response) => void response.end('<html>'));
  await assert.rejects(html(), failed(/not JSON/));
});

test('a server of another authority, or of another name, is sent nothing', async (t) => {
  const call = await serve(t, () => assert.fail('it was sent something'));
  await assert.rejects(
    call('localhost', testCa('api.example').certificate.pem),
    failed(/TRN0401|CERT|SIGNATURE/),
  );
  await assert.rejects(call('127.0.0.1'), failed(/ALTNAME/));
});
