import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

// Imported before a program of ours (NODE_OPTIONS), measures how late its event loop is. At each SIGUSR2 it writes what it
// measured since the last one to the file LOOP_DELAY_FILE.
if (isMainThread && process.env.LOOP_DELAY_FILE !== undefined) {
  const path = process.env.LOOP_DELAY_FILE;
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  process.on('SIGUSR2', () => {
    const milliseconds = (nanoseconds: number) => Math.round(nanoseconds / 1e5) / 10;
    const report = {
      p50: milliseconds(delays.percentile(50)),
      p99: milliseconds(delays.percentile(99)),
      max: milliseconds(delays.max),
    };
    writeFileSync(path, JSON.stringify(report));
    delays.reset();
  });
}
