import { resolve } from 'node:path';
import { Command } from 'commander';
import { dialUnix } from '../transport/dial-unix.js';
import type { MessageOut } from '../wire/names.js';
import { serviceDefinition } from '../wire/services.js';
import { type Cli, exitCodes } from './cli.js';

/** `plastron agent health`: whether an agent can hand out identities now; exit code 0 or 1, or 4 when it does not answer. */
export function agentHealth(cli: Cli): Command {
  return new Command()
    .requiredOption('--admin-socket <path>', 'the admin socket of the agent')
    .addHelpText('after', '\nExit code 0: serving. 1: not serving. 4: nobody answers on the socket.')
    .action(async ({ adminSocket }: { adminSocket: string }) => {
      const connection = dialUnix(resolve(cli.cwd, adminSocket));
      try {
        const { Check } = serviceDefinition('grpc.health.v1.Health');
        const { GetInfo } = serviceDefinition('spire.agent.debug.v1.Debug');
        const { status } = await connection.unary(Check, {}, { deadlineMs: 5000 });
        const info = await connection.unary(GetInfo, {}, { deadlineMs: 5000 });
        const serving = status === 'SERVING';
        cli.voice.print(`${cli.voice.mark(serving ? 'good' : 'bad')} ${serving ? 'serving' : 'not serving'}`);
        for (const line of describe(info)) cli.voice.print(line);
        if (serving) return;
        cli.voice.say("the agent's log says why and what to do");
        cli.exitWith(exitCodes.negative);
      } finally {
        connection.close();
      }
    });
}

function describe(info: MessageOut<'spire.agent.debug.v1.GetInfoResponse'>): string[] {
  const [own] = info.svid_chain ?? [];
  const time = (seconds: string | undefined) => new Date(Number(seconds) * 1000).toISOString();
  return [
    own
      ? `  agent spiffe://${own.id?.trust_domain}${own.id?.path}, its SVID is valid until ${time(own.expires_at)}`
      : '  not attested yet',
    Number(info.last_sync_success ?? 0) > 0
      ? `  last sync with the server ${time(info.last_sync_success)}, ${info.cached_x509_svids_count ?? 0} SVIDs`
      : '  no sync with the server since the start',
  ];
}
