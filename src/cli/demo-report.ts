import { relative } from 'node:path';
import { asExpected, type CallOutcome } from '../demo/calls.js';
import { type Audience, held, type Outcome, type Setting } from '../demo/demo.js';
import type { PolicyFlip } from '../demo/flip.js';
import { connectionsHeld, type RotationOutcome } from '../demo/rotation.js';
import { plastron } from '../demo/trust-domain.js';
import type { Cli } from './cli.js';
import { type Cell, formatTable, type Voice } from './voice.js';

/** The demo as a person reads it. */
export interface PeopleReport extends Pick<Audience, 'started' | 'called' | 'flipped' | 'rotated'> {
  ended(outcome: Outcome, totalMs: number): void;
  kept(setting: Setting): void;
}

export function peopleReport({ voice, cwd }: Cli): PeopleReport {
  return {
    started: (setting) => {
      voice.print(
        `A server, an agent, and three services behind real Envoys: up after ${inSeconds(setting.started_ms)}`,
      );
      voice.print(voice.paint('faint', whoRuns(setting)));
      voice.print();
    },
    called: (calls) => {
      for (const line of formatTable(
        heads,
        calls.map((call) => rowOf(call, voice)),
      ))
        voice.print(line);
      voice.print();
    },
    flipped: ({ allowed, denied }) => {
      voice.print(
        `The policy file is edited while requests go on, on one connection: web DELETE /v1/orders/7`,
      );
      voice.print(flipLine('403 -> 200', 'allowing it', allowed, voice));
      voice.print(flipLine('200 -> 403', 'taking that back', denied, voice));
      voice.print();
    },
    rotated: (rotation) => {
      voice.print(
        `The SVIDs are renewed under open connections: web GET /v1/orders/7, ${rotation.requests} times`,
      );
      for (const line of rotationLines(rotation, voice)) voice.print(line);
      voice.print();
    },
    ended: (outcome, totalMs) => {
      const ok = held(outcome);
      const verdict = ok ? 'everything was as expected' : 'not everything was as expected';
      voice.print(`${voice.mark(ok ? 'good' : 'bad')} ${verdict}, ${inSeconds(totalMs)} in all`);
    },
    kept: (setting) => {
      for (const line of whatToTry(setting, cwd)) voice.say(line);
    },
  };
}

const heads = ['', 'caller', 'service', 'request', 'expected', 'Envoy answered', 'decided by'];

function rowOf(call: CallOutcome, voice: Voice): Cell[] {
  const ok = asExpected(call);
  const note = call.note ? ` (${call.note})` : '';
  return [
    { text: ok ? '+' : 'x', painted: voice.mark(ok ? 'good' : 'bad') },
    call.from,
    call.to,
    `${call.method} ${call.path}${note}`,
    call.expected,
    call.status === 0 ? 'nothing' : String(call.status),
    call.rule ?? 'no rule',
  ];
}

function whoRuns({ services }: Setting): string {
  const users = [...services.values()].map(({ name, user }) => `${name} ${user}`);
  if ([...services.values()].every(({ user }) => user !== undefined)) {
    return `Each service is a user of its own (${users.join(', ')}), and is known by that.`;
  }
  return 'All are processes of one user, told apart by the path of their Envoy: that shows identities, it isolates nothing.';
}

function flipLine(change: string, what: string, flip: PolicyFlip, voice: Voice): string {
  const ok = flip.same_connection && flip.failed_requests === 0;
  const connection = flip.same_connection ? 'the same connection' : 'NOT the same connection';
  const took = `${flip.saved_to_enforced_ms} ms after saving`;
  const mark = voice.mark(ok ? 'good' : 'bad');
  return `${mark} ${change}  ${took} (${what}), ${connection}, ${failures(flip.failed_requests)}`;
}

function rotationLines(
  { serials, connections_kept, failed_requests }: RotationOutcome,
  voice: Voice,
): string[] {
  const loaded = serials.map(({ service, before, after }) => {
    return `${voice.mark('good')} ${service.name}: its Envoy has loaded serial ${short(after)} in the place of ${short(before)}`;
  });
  const ok = connections_kept === connectionsHeld && failed_requests === 0;
  const kept = `${connections_kept} of ${connectionsHeld} connections kept, ${failures(failed_requests)}`;
  return [...loaded, `${voice.mark(ok ? 'good' : 'bad')} ${kept}`];
}

function failures(count: number): string {
  if (count === 0) return 'no request failed';
  return count === 1 ? '1 request failed' : `${count} requests failed`;
}

function whatToTry(setting: Setting, cwd: string): string[] {
  const program = `node ${relative(cwd, plastron)}`;
  const socket = (name: 'web' | 'intruder') => setting.services.get(name)?.outboundSocket;
  return [
    '',
    'It is still running, until Ctrl-C. What to try:',
    `  curl -i --unix-socket ${socket('web')} http://orders/v1/orders/7`,
    `  curl -i --unix-socket ${socket('intruder')} http://orders/healthz`,
    `  ${program} why web orders DELETE /v1/orders/7 --policy ${setting.policy.folder}`,
    `  edit ${setting.policy.path} and call again`,
    `  ${program} entry list --admin-socket ${setting.adminSocket}`,
  ];
}

function short(serial: string): string {
  return serial.length > 12 ? `${serial.slice(0, 8)}…` : serial;
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
