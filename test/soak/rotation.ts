// npm run soak:rotation [-- --seconds 300 --every 5]
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { endingAfter } from '../support/children.js';
import { soakRotation } from '../support/rotation-soak.js';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '300' }, every: { type: 'string', default: '5' } },
});
const [seconds, everySeconds] = [Number(values.seconds), Number(values.every)];
await endingAfter(async (ending) => {
  const note = (sentence: string) => console.error(sentence);
  const result = await soakRotation(ending, { seconds, everySeconds, note });
  const { failures, svids } = result;
  const lines = [
    `npm run soak:rotation -- --seconds ${seconds} --every ${everySeconds}`,
    `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores, Node ${process.versions.node}, plastron ${version()}`,
    '',
    `calls through both Envoys     ${result.throughEnvoys}`,
    `calls on new TLS connections  ${result.onNewConnections}`,
    `failed                        ${failures.length}`,
    `SVIDs                         web ${svids.web}, orders ${svids.orders}, the caller without an Envoy ${svids.probe}`,
    `connections between Envoys    ${result.connectionsBetweenEnvoys}`,
    `longest call                  ${Math.round(result.longestMs)} ms`,
    ...failures.slice(0, 20),
  ];
  console.log(lines.join('\n'));
  process.exitCode = failures.length === 0 ? 0 : 1;
});

function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
