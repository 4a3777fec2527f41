import { Fault, fault } from '../base/faults/fault.js';
import { sameMembers } from '../base/same-members.js';
import type { AttestedWorkload } from '../registration/attested-workload.js';
import type { WorkloadView, WorkloadViews } from './view.js';

/** One kind of answer that is sent whole, again and again. */
export interface StateAnswer {
  /**
   * What it is made of: as long as these are the same objects, it says the same. A Fault instead: why there is nothing to say
   * right now, which ends a stream that has said nothing yet. Throws the Fault that ends any stream.
   */
  parts(view: WorkloadView, workload: AttestedWorkload): readonly unknown[] | Fault;
  encode(view: WorkloadView): Uint8Array;
}

export interface StateStreamOptions {
  readonly workload: AttestedWorkload;
  readonly views: WorkloadViews;
  readonly answer: StateAnswer;
  readonly signal: AbortSignal;
  readonly send: (message: Uint8Array) => Promise<void>;
}

/**
 * Sends the full state at once and again after every change of it, until the call ends (Workload API §4.3). A client that reads
 * slowly gets the newest state next, not every one in between. What becomes unknown is not taken away: nothing is sent. Throws
 * WLA0203 or what the answer says when there is nothing to begin with, ATT0102 when the workload is no longer the process that it was.
 */
export async function streamStates(options: StateStreamOptions): Promise<void> {
  const { workload, views, answer, signal, send } = options;
  const news = newsOf(views, signal);
  let sent: readonly unknown[] | undefined;
  try {
    while (!signal.aborted) {
      requireAlive(workload);
      const view = views.of(workload);
      const parts = view === 'unknown' ? fault('WLA0203', {}) : answer.parts(view, workload);
      if (view === 'unknown' || parts instanceof Fault) {
        if (!sent) throw parts;
      } else if (!sent || !sameMembers(sent, parts)) {
        sent = parts;
        await send(answer.encode(view));
      }
      await news.next();
    }
  } finally {
    news.stop();
  }
}

/** Throws ATT0102 when the workload is no longer the process that was attested. */
export function requireAlive(workload: AttestedWorkload): void {
  if (!workload.isAlive()) throw fault('ATT0102', { pid: workload.pid });
}

function newsOf({ onChange }: WorkloadViews, signal: AbortSignal) {
  let isNew = false;
  let wake = () => {};
  const tell = () => {
    isNew = true;
    wake();
  };
  const stop = onChange(tell);
  signal.addEventListener('abort', tell, { once: true });
  return {
    /** Resolves when something changed since it was last asked for, or the call has ended. */
    async next() {
      if (!isNew && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      isNew = false;
    },
    stop,
  };
}
