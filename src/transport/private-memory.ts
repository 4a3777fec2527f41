import { fault } from '../base/faults/fault.js';
import { libc } from './libc.js';

/**
 * For a process that holds private keys: no core dump, no debugger of the same user (prctl(2), PR_SET_DUMPABLE), and no
 * inspector of Node's, which a SIGUSR1 would otherwise open on a port of loopback, for every local user. Throws TRN0501.
 */
export function keepMemoryPrivate(): void {
  const error = libc().setUndumpable();
  if (error !== 0) throw fault('TRN0501', { error });
  // With a listener of our own the signal says nothing to Node.
  process.on('SIGUSR1', () => {});
}
