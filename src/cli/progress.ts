import type { TextSink, Voice } from './voice.js';

/** Shows on stderr that a slow step goes on: on a terminal after 300 ms, elsewhere a line every ten seconds. */
export async function during<T>(
  step: string,
  { voice, stderr }: { voice: Voice; stderr: TextSink },
  work: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 1000);
  let shown = false;
  const show = () => {
    if (!stderr.isTTY) return voice.say(`${step} (${seconds()} s so far)`);
    shown = true;
    stderr.write(`\r${clearLine}${voice.paint('faint', `${step} … ${seconds()} s`, 'stderr')}`);
  };
  const first = stderr.isTTY ? setTimeout(show, 300) : undefined;
  const next = setInterval(show, stderr.isTTY ? 1_000 : 10_000);
  try {
    return await work();
  } finally {
    clearTimeout(first);
    clearInterval(next);
    if (shown) stderr.write(`\r${clearLine}`);
  }
}

const clearLine = '\u001b[2K';
