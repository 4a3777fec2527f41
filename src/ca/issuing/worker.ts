import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { sentError } from '../../base/faults/sent-error.js';
import { type FromThread, packed, type ToThread, unpacker } from './messages.js';
import { fillOrder, type Signer } from './order.js';

// A thread that reads CSRs and signs SVIDs. Between any two of them it looks for small calls, so that one SVID waits for one
// other and not for batches; of small calls and batches that both wait, each gets half of the thread.

const port = parentPort;
if (!port) throw new Error('this file is the program of a worker thread');

interface Task {
  readonly size: number;
  /** Fills its next order, and says whether that was the last one. */
  step(): Promise<boolean>;
}

const tasks: { readonly small: Task[]; readonly batch: Task[] } = { small: [], batch: [] };
let signer: Signer | undefined;
let isRunning = false;

port.on('message', (message: ToThread) => {
  receive(message);
  void run();
});

function receive(message: ToThread): void {
  if (message.kind === 'signer') signer = message.signer;
  else if (signer) tasks[message.lane].push(taskOf(signer, message));
  else throw new Error('orders came before who signs them');
}

async function run(): Promise<void> {
  if (isRunning) return;
  isRunning = true;
  let owedToBatches = 0;
  for (;;) {
    receiveWaiting();
    const small = owedToBatches > 0 ? undefined : tasks.small.shift();
    if (small) {
      while (!(await small.step()));
      owedToBatches = small.size;
      continue;
    }
    const [batch] = tasks.batch;
    if (batch && (await batch.step())) tasks.batch.shift();
    owedToBatches = batch ? owedToBatches - 1 : 0;
    if (!batch && tasks.small.length === 0) break;
  }
  isRunning = false;
}

/** What came while this thread was busy. */
function receiveWaiting(): void {
  for (;;) {
    const received = port && receiveMessageOnPort(port);
    if (!received) return;
    // Nobody but thread.ts writes here.
    receive(received.message as ToThread);
  }
}

function taskOf(by: Signer, { id, orders, bytes }: ToThread & { kind: 'orders' }): Task {
  const take = unpacker(bytes);
  const certificates: Uint8Array[] = [];
  const results: FromThread['results'][number][] = [];
  let at = 0;
  const fillNext = async () => {
    const order = orders[at++];
    if (!order) return;
    try {
      const svid = await fillOrder(by, { ...order, csr: take(order.csr) }, order.now);
      certificates.push(...svid.chain);
      results.push({ ...svid, kind: 'svid', chain: svid.chain.map(({ length }) => length) });
    } catch (error) {
      results.push(sentError(error));
    }
  };
  return {
    size: orders.length,
    step: async () => {
      await fillNext();
      if (at < orders.length) return false;
      const answer: FromThread = { id, results, bytes: packed(certificates) };
      port?.postMessage(answer, [answer.bytes.buffer]);
      return true;
    },
  };
}
