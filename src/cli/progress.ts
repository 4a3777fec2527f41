import type { TextSink, Voice } from './voice.js';

/**
 * Shows on stderr that a slow step goes on: on a terminal after 300 ms, elsewhere a line every ten seconds. The work can tell
 * how far it is, such as `1500 of 10000`.
 */
export async function during<T>(
  step: string,
  { voice, stderr }: { voice: Voice; stderr: TextSink },
  work: (tell: (howFar: string) => void) => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 1000);
  let shown = false;
  let howFar = '';
  const show = () => {
    const text = howFar === '' ? step : `${step}: ${howFar}`;
    if (!stderr.isTTY) return voice.say(`${text} (${seconds()} s so far)`);
    shown = true;
    stderr.write(`\r${clearLine}${voice.paint('faint', `${text} … ${seconds()} s`, 'stderr')}`);
  };
  const first = stderr.isTTY ? setTimeout(show, 300) : undefined;
  const next = setInterval(show, stderr.isTTY ? 1_000 : 10_000);
  const tell = (told: string) => {
    howFar = told;
    if (shown) show();
  };
  try {
    return await work(tell);
  } finally {
    clearTimeout(first);
    clearInterval(next);
    if (shown) stderr.write(`\r${clearLine}`);
  }
}

const clearLine = '\u001b[2K';
