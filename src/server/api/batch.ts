import type { Log } from '../../telemetry/log.js';
import type { MessageIn } from '../../wire/names.js';
import { statusMessage } from './messages.js';

/** How a batch of requests is answered, each member with a status of its own. */
export interface Batch<Message, Prepared, Outcome, Result> {
  /** Throws for a member that cannot be had. */
  prepare(message: Message): Prepared;
  /** All good members at once. One outcome each, in order. */
  write(prepared: readonly Prepared[]): Promise<Outcome[]>;
  /** Throws for a member that was not written. */
  answer(outcome: Outcome | undefined, prepared: Prepared): Result;
}

interface Refused {
  readonly status: MessageIn<'spire.api.types.Status'>;
}

/** Answers each member of a batch on its own, in order; a store that fails fails the whole call. */
export async function runBatch<Message, Prepared, Outcome, Result>(
  messages: readonly Message[],
  log: Log,
  { prepare, write, answer }: Batch<Message, Prepared, Outcome, Result>,
): Promise<(Result | Refused)[]> {
  const members = messages.map((message) => attempt(() => ({ prepared: prepare(message) }), log));
  const good = members.flatMap((member) => ('prepared' in member ? [member.prepared] : []));
  const outcomes = good.length > 0 ? await write(good) : [];
  let next = 0;
  return members.map((member) => {
    if (!('prepared' in member)) return member;
    const outcome = outcomes[next++];
    return attempt(() => answer(outcome, member.prepared), log);
  });
}

function attempt<Value>(action: () => Value, log: Log): Value | Refused {
  try {
    return action();
  } catch (error) {
    return { status: statusMessage(error, log) };
  }
}
