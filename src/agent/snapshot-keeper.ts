import type { SvidSource } from '../spiffe/source.js';
import type { Log } from '../telemetry/log.js';
import type { Identities } from './identities.js';
import type { KeptSnapshots } from './kept-snapshot.js';

/** Writes what can be handed out to the disk, each time that it changes. */
export interface SnapshotKeeper {
  /** Nothing stays on the disk, now or when the running write has ended, until there is something new to keep. */
  wipe(): void;
  /** Resolves when the last write has ended. */
  stop(): Promise<void>;
}

/**
 * One write at a time, always of the newest. A write that fails leaves nothing behind: what was taken away since must not come
 * back with a restart.
 */
export function keepSnapshots(
  identities: Pick<Identities, 'current' | 'onChange'>,
  kept: KeptSnapshots,
  own: SvidSource,
  log: Log,
): SnapshotKeeper {
  let isAsked = false;
  let writing = Promise.resolve();
  const write = async () => {
    isAsked = false;
    const [id, snapshot] = [own.current()?.id, identities.current()];
    try {
      if (id && snapshot) await kept.save(id, snapshot);
      else kept.wipe();
    } catch (error) {
      log.error({ error }, 'the SVIDs could not be kept for a restart');
      wipeLoudly(kept, log);
    }
  };
  const soon = () => {
    if (isAsked) return;
    isAsked = true;
    writing = writing.then(write);
  };
  // What is kept is bound to the agent's ID.
  const stops = [identities.onChange(soon), own.onChange(soon)];
  return {
    wipe: soon,
    stop() {
      for (const stop of stops) stop();
      return writing;
    },
  };
}

function wipeLoudly(kept: KeptSnapshots, log: Log): void {
  try {
    kept.wipe();
  } catch (error) {
    log.error({ error }, 'the kept SVIDs could not be removed');
  }
}
