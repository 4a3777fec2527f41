import { resolve } from 'node:path';
import { Command } from 'commander';
import { dialUnix } from '../transport/dial-unix.js';
import type { MessageOut } from '../wire/names.js';
import { serviceDefinition } from '../wire/services.js';
import { type Cli, exitCodes } from './cli.js';
import { type OutputOptions, output, outputOption } from './output.js';
import { duration, instant, timeAndDistance } from './times.js';
import { factLines } from './voice.js';
import { countOrNone } from './whole-number.js';
import { wholeSeconds } from './whole-seconds.js';

interface Limits {
  minAutonomy?: number;
  maxSyncAge: number;
  maxPastRotation: number;
}

interface Options extends OutputOptions, Limits {
  adminSocket: string;
}

/**
 * `plastron agent health`: whether an agent can hand out identities, and for how long if its server were gone. Exit code 1
 * when it cannot, 3 when it can but a limit is crossed, 4 when it does not answer.
 */
export function agentHealth(cli: Cli): Command {
  return new Command()
    .requiredOption('--admin-socket <path>', 'the admin socket of the agent')
    .option('--min-autonomy <seconds>', 'how long all SVIDs must last at least', wholeSeconds)
    .option('--max-sync-age <seconds>', 'how old what is known may be', wholeSeconds, 300)
    .option('--max-past-rotation <count>', 'how many SVIDs may be late for their renewal', countOrNone, 0)
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExit code 0: healthy. 1: not serving. 3: serving, but a limit is crossed: somebody should look before SVIDs expire.' +
        '\n4: nobody answers on the socket.',
    )
    .action(async (options: Options) => {
      const status = await ask(resolve(cli.cwd, options.adminSocket));
      const problems = problemsOf(status, options);
      const fields = { ...fieldsOf(status), problems };
      output(cli, options.output, { kind: 'AgentHealth', ...fields }, () => [
        headline(cli, status, problems),
        ...linesOf(status, problems),
      ]);
      if (!status.serving) {
        cli.voice.say("the agent's log says why and what to do");
        cli.exitWith(exitCodes.negative);
      } else if (problems.length > 0) cli.exitWith(exitCodes.guardTripped);
    });
}

type Status = MessageOut<'plastron.agent.v1.GetStatusResponse'>;

async function ask(socket: string): Promise<Status> {
  const connection = dialUnix(socket);
  try {
    const { GetStatus } = serviceDefinition('plastron.agent.v1.Status');
    return await connection.unary(GetStatus, {}, { deadlineMs: 5000 });
  } finally {
    connection.close();
  }
}

/** Seconds from now; never negative, `null` for no instant. */
function secondsUntil({ now = '0' }: Status, instantSeconds: string | undefined): number | null {
  if (Number(instantSeconds ?? 0) === 0) return null;
  return Math.max(0, Number(instantSeconds) - Number(now));
}

function syncAge({ now = '0', last_sync = '0' }: Status): number | null {
  return Number(last_sync) === 0 ? null : Math.max(0, Number(now) - Number(last_sync));
}

/** What a limit says against the agent, a sentence each. */
function problemsOf(status: Status, { minAutonomy, maxSyncAge, maxPastRotation }: Limits): string[] {
  const autonomy = secondsUntil(status, status.autonomous_until);
  const age = syncAge(status);
  const late = status.svids_past_rotation ?? 0;
  const problems: string[] = [];
  if (autonomy === 0) problems.push('an SVID in use has expired');
  else if (autonomy !== null && minAutonomy !== undefined && autonomy < minAutonomy) {
    problems.push(`the first SVID expires in ${duration(autonomy)}, sooner than ${duration(minAutonomy)}`);
  }
  if (late > maxPastRotation)
    problems.push(`${late === 1 ? '1 SVID is' : `${late} SVIDs are`} late for renewal`);
  if (age === null) problems.push('no sync with the server since the start');
  else if (age > maxSyncAge) problems.push(`the last sync was ${duration(age)} ago`);
  return problems;
}

function fieldsOf(status: Status) {
  return {
    serving: status.serving ?? false,
    id: status.id || null,
    svidExpiresAt: instant(status.svid_expires_at),
    autonomySeconds: secondsUntil(status, status.autonomous_until),
    syncAgeSeconds: syncAge(status),
    svids: status.svids ?? 0,
    svidsPastRotation: status.svids_past_rotation ?? 0,
    pushed: status.pushed ?? false,
    lastError: status.trouble || null,
    servers: (status.servers ?? []).map(({ address = '', trouble }) => ({
      address,
      lastError: trouble || null,
    })),
  };
}

function headline(cli: Cli, { serving }: Status, problems: readonly string[]): string {
  if (!serving) return `${cli.voice.mark('bad')} not serving`;
  if (problems.length > 0)
    return `${cli.voice.mark('warning')} serving, but not for long unless somebody looks`;
  return `${cli.voice.mark('good')} serving`;
}

function linesOf(status: Status, problems: readonly string[]): string[] {
  const { id, autonomySeconds, syncAgeSeconds, svids, svidsPastRotation, pushed, lastError, servers } =
    fieldsOf(status);
  const late = svidsPastRotation > 0 ? `, ${svidsPastRotation} late for renewal` : '';
  return factLines([
    ...problems.map((problem): [string, string] => ['problem', problem]),
    ['agent', id ?? 'not attested yet'],
    ['own SVID ends', id ? timeAndDistance(status.svid_expires_at, Number(status.now) * 1000) : ''],
    ['SVIDs', `${svids}${late}`],
    ['autonomy', autonomySeconds === null ? '' : `${duration(autonomySeconds)} without a server`],
    ['last sync', syncAgeSeconds === null ? 'none since the start' : `${duration(syncAgeSeconds)} ago`],
    ['server pushes', pushed ? 'yes' : 'no'],
    ['last error', lastError ?? ''],
    ...servers.map(({ address, lastError: of }): [string, string] => [
      'server',
      of === null ? address : `${address}: ${of}`,
    ]),
  ]).map((line) => `  ${line}`);
}
