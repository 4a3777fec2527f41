import { isFault } from '../base/faults/fault.js';
import type { StoreFollower, StorePosition } from '../server/ports.js';
import type { Connection } from './connection.js';

/** Milliseconds until a reading that failed is tried again. */
const retryAfter = 1000;

/** Tells a follower what happens after `since`, in order, each time that the connection says to look. */
export function follow(
  { run, watch }: Pick<Connection, 'run' | 'watch'>,
  since: StorePosition,
  follower: StoreFollower,
): () => Promise<void> {
  let at = since;
  let isStopped = false;
  let mustLook = false;
  let looking: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  const read = async () => {
    const reading = await run('changesSince', at);
    if (isStopped || reading.kind === 'nothing') return;
    at = reading.at;
    if (reading.kind === 'lost') return follower.reset(reading.contents);
    mustLook ||= reading.goesOn;
    follower.changes(reading.changes);
  };
  const readAll = async () => {
    while (mustLook && !isStopped) {
      mustLook = false;
      try {
        await read();
      } catch (error) {
        if (isFault(error, 'STO0204')) isStopped = true;
        // Writers are told what is wrong with the store; this goes on as soon as it can.
        else retry = setTimeout(look, retryAfter);
      }
    }
    looking = undefined;
  };
  const look = () => {
    clearTimeout(retry);
    mustLook = true;
    looking ??= readAll();
  };
  const stopWatching = watch(look);
  look();
  return async () => {
    isStopped = true;
    clearTimeout(retry);
    await stopWatching();
    await looking;
  };
}
