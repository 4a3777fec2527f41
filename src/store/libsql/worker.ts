import { randomUUID } from 'node:crypto';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { sentError } from '../../base/faults/sent-error.js';
import { migrate } from '../migrate.js';
import type { Outcome } from '../outcome.js';
import { startUnit } from '../units.js';
import { copyDatabase } from './copy-database.js';
import { openDatabase } from './database.js';
import { ensureDatabaseFile } from './database-file.js';
import { runGroup } from './group.js';
import type { FromWorker, ToWorker, WorkerStart } from './messages.js';
import { storeFault } from './store-fault.js';

// The thread that owns the database, and the only one that touches it. Calls that wait while it works are its next group.

const maxGroup = 256;
const { path, trustDomain } = workerData as WorkerStart;
const port = parentPort;
if (!port) throw new Error('this file is the program of a worker thread');
const say = (message: FromWorker) => port.postMessage(message);

try {
  ensureDatabaseFile(path);
  const database = openDatabase(path);
  const [migration] = runGroup(database, [() => migrate({ trustDomain, epoch: randomUUID(), path })]);
  if (!migration?.ok) throw migration?.error;
  port.on('message', (first: ToWorker) => {
    const group = [first];
    while (group.length < maxGroup) {
      const next = receiveMessageOnPort(port) as { message: ToWorker } | undefined;
      if (!next) break;
      group.push(next.message);
    }
    const calls = group.filter((message) => message.kind === 'call');
    const outcomes =
      calls.length === 0
        ? []
        : runGroup(
            database,
            calls.map((call) => () => startUnit(call)),
          );
    for (const [index, outcome] of outcomes.entries()) answer(calls[index]?.id, outcome);
    // After the group: what it acknowledged is in the copy.
    for (const message of group) {
      if (message.kind === 'snapshot') answer(message.id, copyDatabase(database, message.path));
    }
    if (group.some((message) => message.kind === 'close')) {
      database.close();
      port.close();
    }
  });
  say({ kind: 'open' });
} catch (error) {
  say({ kind: 'refused', error: sentError(storeFault(error, path)) });
  port.close();
}

function answer(id: number | undefined, outcome: Outcome): void {
  if (id === undefined) return;
  if (outcome.ok) say({ kind: 'done', id, value: outcome.value });
  else say({ kind: 'failed', id, error: sentError(storeFault(outcome.error, path)) });
}
