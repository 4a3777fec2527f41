import { parentPort } from 'node:worker_threads';
import { type SentError, sentError } from '../../base/faults/sent-error.js';
import { type FromThread, packed, type SentSvid, type ToThread, unpacker } from './messages.js';
import { fillOrder, type Signer } from './order.js';

// A thread that reads CSRs and signs SVIDs.

const port = parentPort;
if (!port) throw new Error('this file is the program of a worker thread');
let signer: Signer | undefined;

let last = Promise.resolve();

port.on('message', (message: ToThread) => {
  last = last.then(() => handle(message));
});

async function handle(message: ToThread): Promise<void> {
  if (message.kind === 'signer') {
    signer = message.signer;
    return;
  }
  if (!signer) throw new Error('orders came before who signs them');
  const answer = await filled(signer, message);
  port?.postMessage(answer, [answer.bytes.buffer]);
}

async function filled(by: Signer, { orders, bytes }: ToThread & { kind: 'orders' }): Promise<FromThread> {
  const take = unpacker(bytes);
  const certificates: Uint8Array[] = [];
  const results: (SentSvid | SentError)[] = [];
  for (const order of orders) {
    try {
      const svid = await fillOrder(by, { ...order, csr: take(order.csr) }, order.now);
      certificates.push(...svid.chain);
      results.push({ ...svid, kind: 'svid', chain: svid.chain.map(({ length }) => length) });
    } catch (error) {
      results.push(sentError(error));
    }
  }
  return { results, bytes: packed(certificates) };
}
