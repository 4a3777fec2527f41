import { setTimeout as sleep } from 'node:timers/promises';
import { openSdsStream, type RawSdsStream } from './raw-sds-stream.js';

// A process of its own that is the Envoys of a node: many connections to the agent's socket, an SDS stream on each.

export type ToClients =
  | {
      readonly do: 'open';
      readonly socket: string;
      readonly count: number;
      readonly names: readonly string[];
    }
  | { readonly do: 'watch' }
  | { readonly do: 'close' };

export type FromClients =
  | { readonly did: 'open'; readonly firstMs: readonly number[]; readonly openedPerS: number }
  /** From now on a response counts. */
  | { readonly did: 'watch' }
  /** Every stream had one: the instants of the first and of the last, in milliseconds since the Unix epoch. */
  | { readonly did: 'see'; readonly firstAt: number; readonly lastAt: number }
  | { readonly did: 'close' };

/** Opened one after the other, to see how long one takes; the others so many at a time. */
const alone = 300;
const atOnce = 16;

const streams: RawSdsStream[] = [];
let opened = 0;
let seen: (index: number) => void = () => {};

process.on('message', (message: ToClients) => {
  handle(message).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

async function handle(message: ToClients): Promise<void> {
  if (message.do === 'open') return open(message.socket, message.count, message.names);
  if (message.do === 'watch') return watch();
  for (const stream of streams.splice(0)) stream.close();
  say({ did: 'close' });
}

async function open(socket: string, count: number, names: readonly string[]): Promise<void> {
  const firstMs: number[] = [];
  for (let index = 0; index < Math.min(alone, count); index++) firstMs.push(await openOne(socket, names));
  const start = performance.now();
  const others = count - firstMs.length;
  let left = others;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await openOne(socket, names);
    }),
  );
  const openedPerS = others / ((performance.now() - start) / 1000);
  // For those that were opened last to be acknowledged and the agent to be idle.
  await sleep(500);
  say({ did: 'open', firstMs, openedPerS });
}

/** Gives the milliseconds from connecting to the first secret. */
function openOne(socket: string, names: readonly string[]): Promise<number> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const index = opened++;
    let isFirst = true;
    const listener = {
      response: () => {
        if (isFirst) resolve(performance.now() - start);
        else seen(index);
        isFirst = false;
      },
      ended: (reason: string) => reject(new Error(`a stream ended: ${reason}`)),
    };
    openSdsStream(socket, names, listener).then((stream) => streams.push(stream), reject);
  });
}

function watch(): void {
  const waiting = new Set(Array.from({ length: streams.length }, (_, index) => opened - 1 - index));
  let firstAt = 0;
  seen = (index) => {
    if (!waiting.delete(index)) return;
    firstAt ||= Date.now();
    if (waiting.size === 0) say({ did: 'see', firstAt, lastAt: Date.now() });
  };
  say({ did: 'watch' });
}

function say(message: FromClients): void {
  process.send?.(message);
}
