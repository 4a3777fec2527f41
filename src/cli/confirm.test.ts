import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEntries, entryApi, entryMessage, runningServer } from '../../test/support/running-server.js';
import { runProgram } from './program.js';

/** Runs a command as somebody at a terminal who gives this answer, and gives what was asked and how it ended. */
async function answering(answer: string, args: readonly string[], adminSocket: string) {
  const asked: string[] = [];
  let said = '';
  const sink = {
    write: (text: string) => {
      said += text;
    },
  };
  const code = await runProgram(args, {
    stdout: sink,
    stderr: sink,
    env: { PLASTRON_ADMIN_SOCKET: adminSocket },
    cwd: '/',
    ask: async (question) => {
      asked.push(question);
      return answer;
    },
  });
  return { asked, said, code };
}

test('at a terminal what cannot be undone is asked about, and only a yes is a yes', async (t) => {
  const server = await runningServer(t);
  await createEntries(server, entryMessage('/web', '/node/demo', ['unix:uid:1'], { id: 'web' }));
  for (const answer of ['', 'n', 'no', 'yes please']) {
    const { asked, said, code } = await answering(answer, ['entry', 'delete', 'web'], server.adminSocket);
    assert.deepEqual(asked, ['delete the entry web? its workloads get no new SVIDs [y/N] ']);
    assert.deepEqual([said, code], ['nothing was done\n', 1]);
  }
  assert.equal((await server.admin.unary(entryApi.CountEntries, {})).count, 1);
  const { code } = await answering('Y', ['entry', 'delete', 'web'], server.adminSocket);
  assert.equal(code, 0);
  assert.equal((await server.admin.unary(entryApi.CountEntries, {})).count ?? 0, 0);
});

test('with --yes nobody is asked', async (t) => {
  const server = await runningServer(t);
  const agent = 'spiffe://shop.example/spire/agent/x509pop/1';
  const { asked, code } = await answering('', ['node', 'evict', agent, '--yes'], server.adminSocket);
  assert.deepEqual([asked, code], [[], 1]);
});
