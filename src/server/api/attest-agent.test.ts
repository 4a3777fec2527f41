import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../base/faults/fault.js';
import type { MessageOut } from '../../wire/names.js';
import { attestationSteps } from './attest-agent.js';

type Request = MessageOut<'spire.api.server.agent.v1.AttestAgentRequest'>;

const params = {
  params: {
    data: { type: 'x', payload: Buffer.from('p') },
    params: { csr: Buffer.from('c') },
  },
} as Request;

/** A call on which these requests come, and then nothing any more. */
const callWith = (...requests: Request[]) => ({
  requests: (async function* () {
    yield* requests;
    await new Promise(() => {});
  })(),
  send: async () => {},
});

test('S11: an agent that says nothing first, does not answer a challenge or does not hang up is not waited for', async () => {
  const tooLate = (error: unknown) => isFault(error, 'ATT0502');
  await assert.rejects(attestationSteps(callWith(), 10), tooLate);
  const { challenge, acknowledged, ...first } = await attestationSteps(callWith(params), 10);
  assert.equal(first.params.method, 'x');
  await assert.rejects(challenge(Buffer.from('?')), tooLate);
  await assert.rejects(acknowledged(), tooLate);
});
