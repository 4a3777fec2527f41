import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fault } from './fault.js';
import { receivedError, sentError } from './sent-error.js';

test('a fault is the same on the other side of a thread, with the text of its cause', () => {
  const original = fault('CAS0105', { name: 'a b' }, { cause: new Error('because') });
  const received = receivedError(structuredClone(sentError(original)), 'a thread');
  const { code, params, message, hint, status } = original;
  assert.deepEqual({ ...received }, { ...received, code, params, hint, status });
  assert.equal(received.message, message);
  assert.equal((received.cause as Error).message, 'because');
  assert.equal(receivedError(sentError(fault('CAS0204', {})), 'a thread').cause, undefined);
});

test('anything else is a bug, which says where it happened', () => {
  const { message } = receivedError(structuredClone(sentError(new TypeError('no'))), 'the thread');
  assert.match(message, /^the thread failed: TypeError: no\n/);
  assert.equal(receivedError(sentError('text'), 'it').message, 'it failed: text');
});
