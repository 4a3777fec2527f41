import { Worker } from 'node:worker_threads';
import { type Fault, fault } from '../../base/faults/fault.js';
import { receivedError } from '../../base/faults/sent-error.js';
import { takingTurns } from '../../base/turns.js';
import type { Connection } from '../connection.js';
import { isRead, type UnitResult } from '../units.js';
import type { FromWorker, ToWorker, WorkerStart } from './messages.js';
import { takeSnapshot } from './snapshot.js';

/** Starts the thread that owns the database file, and waits until it has it. Throws STO01xx, STO02xx. */
export async function openLibsql(start: WorkerStart): Promise<Connection> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: start });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const waiting = new Map<number, Waiting>();
  let crash: unknown;
  worker.on('error', (error) => {
    crash = error; // what follows is `exit`
  });
  const stopped = () => fault('STO0204', { path: start.path }, { cause: crash });
  let isStopped = false;
  worker.once('exit', () => {
    isStopped = true;
    for (const { reject } of waiting.values()) reject(stopped());
    waiting.clear();
  });
  await opened(worker, ended, stopped);
  const watchers = new Set<() => void>();
  worker.on('message', (message: FromWorker) => {
    const isWrite = settle(waiting, message);
    if (isWrite) for (const look of watchers) look();
  });
  const say = (message: ToWorker) => worker.postMessage(message);
  let lastId = 0;
  const ask = (isWrite: boolean, message: (id: number) => ToWorker) =>
    new Promise<unknown>((resolve, reject) => {
      if (isStopped) return reject(stopped());
      const id = ++lastId;
      waiting.set(id, { isWrite, resolve, reject });
      say(message(id));
    });
  const inTurn = takingTurns();
  return {
    run: (name, ...args) =>
      // The thread answers with what the unit of this name gives back.
      ask(!isRead(name), (id) => ({ kind: 'call', id, name, args })) as Promise<UnitResult<typeof name>>,
    snapshot: () => {
      const path = `${start.path}.backup`;
      return inTurn(() => takeSnapshot(path, () => ask(false, (id) => ({ kind: 'snapshot', id, path }))));
    },
    watch: (look) => {
      watchers.add(look);
      return async () => void watchers.delete(look);
    },
    close: async () => {
      say({ kind: 'close' });
      await ended;
    },
  };
}

/** What fails when it is not the database's fault. */
const unit = 'a unit of work';

interface Waiting {
  readonly isWrite: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

function opened(worker: Worker, ended: Promise<void>, stopped: () => Fault): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', (message: FromWorker) => {
      if (message.kind === 'open') resolve();
      else if (message.kind === 'refused') reject(receivedError(message.error, unit));
    });
    void ended.then(() => reject(stopped()));
  });
}

/** Says whether it was the answer to a unit that writes. */
function settle(waiting: Map<number, Waiting>, message: FromWorker): boolean {
  if (message.kind !== 'done' && message.kind !== 'failed') return false;
  const call = waiting.get(message.id);
  waiting.delete(message.id);
  if (message.kind === 'done') call?.resolve(message.value);
  else call?.reject(receivedError(message.error, unit));
  return call?.isWrite ?? false;
}
