import { fault, isFault } from '../../base/faults/fault.js';
import type { Connection } from '../connection.js';
import type { Outcome } from '../outcome.js';
import { isRead, startUnit, type UnitCall } from '../units.js';
import { runGroup, type Sessions } from './group.js';

interface Waiting {
  readonly call: UnitCall;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

const maxGroup = 256;

/** Carries out units one after another; those that wait while others are carried out are the next group. */
export function createQueue(sessions: Sessions): Pick<Connection, 'run' | 'close'> {
  const waiting: Waiting[] = [];
  let isClosed = false;
  let working: Promise<void> | undefined;
  const work = async () => {
    while (waiting.length > 0) {
      const group = waiting.splice(0, groupLength(waiting));
      const calls = group.map(({ call }) => call);
      const works = calls.map((call) => () => startUnit(call));
      const outcomes = await runGroup(
        sessions,
        works,
        calls.every(({ name }) => isRead(name)),
      );
      settle(group, (index) => outcomes[index]);
      // Whoever waited meanwhile would wait as long again for a database that does not answer.
      const [first] = outcomes;
      if (first && outcomes.every(isUnanswered)) settle(waiting.splice(0), () => first);
    }
    working = undefined;
  };
  return {
    run: (name, ...args) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(fault('STO0204', { path: sessions.place }));
        // A unit of this name gives back what is promised for it.
        waiting.push({ call: { name, args }, resolve: resolve as (value: unknown) => void, reject });
        working ??= work();
      }),
    close: async () => {
      isClosed = true;
      await working;
    },
  };
}

/** How many of the first ones are of the same kind, reading or writing. */
function groupLength(waiting: readonly Waiting[]): number {
  const isReading = (one: Waiting | undefined) => one !== undefined && isRead(one.call.name);
  let length = 1;
  while (
    length < Math.min(waiting.length, maxGroup) &&
    isReading(waiting[length]) === isReading(waiting[0])
  ) {
    length++;
  }
  return length;
}

const isUnanswered = (outcome: Outcome) => !outcome.ok && isFault(outcome.error, 'STO0401');

function settle(calls: readonly Waiting[], outcomeOf: (index: number) => Outcome | undefined): void {
  for (const [index, { resolve, reject }] of calls.entries()) {
    const outcome = outcomeOf(index);
    if (outcome?.ok) resolve(outcome.value);
    else reject(outcome?.error);
  }
}
