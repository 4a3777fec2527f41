import { Command } from 'commander';
import { type Audience, held, type Outcome, runDemo } from '../demo/demo.js';
import { type Cli, exitCodes } from './cli.js';
import { peopleReport } from './demo-report.js';
import { during } from './progress.js';
import { aborted } from './stop-signal.js';

/** `plastron demo`: everything at once on this machine, with real Envoys. */
export function demo(cli: Cli): Command {
  return new Command()
    .option('--keep', 'leave it running until Ctrl-C, and say what to try')
    .option('--json', 'print one JSON object in place of the table')
    .addHelpText('after', '\nExit code 0: everything was as expected. 1: it was not, or something failed.')
    .action(async (options: Options) => {
      const interruption = listenForInterruption();
      try {
        cli.exitWith((await runFor(cli, options, interruption.signal)) ? exitCodes.ok : exitCodes.negative);
      } catch (error) {
        if (!interruption.signal.aborted) throw error;
        interruption.passOn();
      } finally {
        interruption.stopListening();
      }
    });
}

interface Options {
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** Whether everything held. */
async function runFor(cli: Cli, { keep, json }: Options, signal: AbortSignal): Promise<boolean> {
  const began = performance.now();
  const report = peopleReport(cli);
  const audience: Audience = {
    during: (step, work) => during(step, cli, work),
    say: (sentence) => cli.voice.say(sentence),
    ...(json ? silent : report),
  };
  const end = (outcome: Outcome) => {
    const total_ms = Math.round(performance.now() - began);
    if (json) cli.voice.print(JSON.stringify({ ...figuresOf(outcome), total_ms }));
    else report.ended(outcome, total_ms);
  };
  const outcome = await runDemo({
    env: cli.env,
    signal,
    audience,
    linger: async (outcome, ended) => {
      if (!keep) return;
      end(outcome);
      report.kept(outcome.setting);
      await aborted(ended);
      if (!signal.aborted) ended.throwIfAborted();
    },
  });
  if (!keep) end(outcome);
  return held(outcome);
}

const silent: Pick<Audience, 'started' | 'called' | 'flipped' | 'rotated'> = {
  started: () => undefined,
  called: () => undefined,
  flipped: () => undefined,
  rotated: () => undefined,
};

/** What `--json` prints. The change of the policy goes both ways: the slower way counts, and the failures of both. */
function figuresOf({ setting, calls, flips, rotation }: Outcome) {
  const both = [flips.allowed, flips.denied];
  return {
    calls: calls.map(({ from, to, method, path, expected, status, rule }) => {
      return { from, to, method, path, expected, status, rule };
    }),
    policy_flip: {
      saved_to_enforced_ms: Math.max(...both.map((flip) => flip.saved_to_enforced_ms)),
      same_connection: both.every((flip) => flip.same_connection),
      failed_requests: flips.allowed.failed_requests + flips.denied.failed_requests,
    },
    rotation: {
      connections_kept: rotation.connections_kept,
      failed_requests: rotation.failed_requests,
    },
    started_ms: setting.started_ms,
  };
}

/** Ctrl-C and its like end the demo in order; then the process ends as it would have ended without us. */
function listenForInterruption() {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let heard: NodeJS.Signals | undefined;
  const listener = (signal: NodeJS.Signals) => {
    heard = signal;
    controller.abort();
  };
  const stopListening = () => {
    for (const signal of signals) process.off(signal, listener);
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    signal: controller.signal,
    stopListening,
    passOn: () => {
      stopListening();
      if (heard) process.kill(process.pid, heard);
    },
  };
}
