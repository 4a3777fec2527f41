import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './children.js';
import { until } from './until.js';

/** In milliseconds. An idle loop shows about 1: how often it is looked at. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Measures the event loop of a process that starts with `env`. */
export function loopDelay(t: TestContext) {
  const file = join(temporaryFolder(t), 'delay.json');
  const probe = fileURLToPath(new URL('./loop-delay-probe.js', import.meta.url));
  return {
    env: { NODE_OPTIONS: `--import=${probe}`, LOOP_DELAY_FILE: file },
    /** What was measured since it was asked the last time. */
    async since(pid: number): Promise<LoopDelay> {
      rmSync(file, { force: true });
      process.kill(pid, 'SIGUSR2');
      await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('}'));
      return JSON.parse(readFileSync(file, 'utf8'));
    },
  };
}
