import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from './connection.js';

// An application that calls others, as a program of its own:
//   node caller.js SOCKET 'SERVICE METHOD PATH' ...
// It makes its calls on its Envoy's outbound socket every few seconds, and prints what it is answered.

const [socket = 'outbound.sock', ...calls] = process.argv.slice(2);

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));

for (;;) {
  for (const call of calls) console.log(`${call}: ${await answerTo(call)}`);
  await sleep(5_000);
}

async function answerTo(call: string): Promise<string> {
  const [to = '', method = '', path = ''] = call.split(' ');
  try {
    const connection = await connect(socket);
    const status = await connection.send({ to, method, path });
    connection.close();
    return status === 0 ? 'no answer' : String(status);
  } catch (error) {
    return `no Envoy (${(error as NodeJS.ErrnoException).code})`;
  }
}
