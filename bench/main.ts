// npm run bench -- NAME [--rounds N] [options of the benchmark] [--json]
import { parseArgs } from 'node:util';
import type { Bench, BenchRun } from './bench.js';
import { benches } from './benches.js';
import { jsonReport, tableReport } from './print.js';

const [name = '', ...args] = process.argv.slice(2);
const load = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (load) process.exitCode = await run(await load());
else {
  console.error(`usage: npm run bench -- NAME [--rounds N] [--json], and NAME is one of`);
  for (const [known, bench] of Object.entries(benches)) {
    const { summary, options } = await bench();
    const defaults = Object.entries(options).map(([option, value]) => ` [--${option} ${value}]`);
    console.error(`  ${known}${defaults.join('')}: ${summary}`);
  }
  process.exitCode = 2;
}

async function run(bench: Bench): Promise<number> {
  const endings: (() => unknown)[] = [];
  const end = async () => {
    for (const ending of endings.splice(0).reverse()) await ending();
  };
  const stop = () => void end().then(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const { rounds, json, option } = settings(bench);
    const report = await bench.run({
      after: (ending) => endings.push(ending),
      note: (sentence) => console.error(sentence),
      option,
      rounds,
    } satisfies BenchRun);
    process.stdout.write(
      json ? `${JSON.stringify(jsonReport(name, rounds, report))}\n` : tableReport(name, rounds, report),
    );
    return 0;
  } finally {
    await end();
  }
}

function settings({ options }: Bench) {
  const own = Object.entries(options).map(
    ([option, value]) => [option, { type: 'string', default: value }] as const,
  );
  const { values } = parseArgs({
    args,
    options: {
      ...Object.fromEntries(own),
      rounds: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
    },
  });
  const given: Readonly<Record<string, string | boolean | undefined>> = values;
  const rounds = Number(given.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number from 1');
  return {
    rounds,
    json: given.json === true,
    option: (option: string) => {
      const value = given[option];
      if (typeof value !== 'string') throw new Error(`the benchmark has no option ${option}`);
      return value;
    },
  };
}
