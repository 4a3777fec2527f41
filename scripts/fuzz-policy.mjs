// Random policies through a real Envoy for as long as you like: npm run fuzz:policy -- --minutes 10 [--seed 123]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
const env = { ...process.env, FUZZ_MINUTES: values.minutes, ...(values.seed && { FUZZ_SEED: values.seed }) };
const { status } = spawnSync(process.execPath, ['--test', 'dist/test/envoy/policy-differential.test.js'], {
  cwd: new URL('..', import.meta.url),
  env,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
