import { Command } from 'commander';
import type { GrpcConnection } from '../transport/grpc-client.js';
import type { MessageOut } from '../wire/names.js';
import { serviceDefinition } from '../wire/services.js';
import { type AdminOptions, adminSocketOption, idText, withServer } from './admin.js';
import { type Cli, exitCodes } from './cli.js';
import { type OutputOptions, output, outputOption } from './output.js';
import { duration, instant, timeAndDistance } from './times.js';
import { factLines } from './voice.js';

/** `plastron server health`: whether a server can issue and record now; exit code 0 or 1, or 4 when it does not answer. */
export function serverHealth(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .addOption(outputOption())
    .addHelpText('after', '\nExit code 0: serving. 1: not serving. 4: nobody answers on the socket.')
    .action(async (options: AdminOptions & OutputOptions) => {
      const health = await withServer(options, askHealth);
      const { serving } = health;
      output(cli, options.output, { kind: 'ServerHealth', ...fieldsOf(health) }, () => [
        `${cli.voice.mark(serving ? 'good' : 'bad')} ${serving ? 'serving' : 'not serving'}`,
        ...linesOf(health),
      ]);
      if (serving) return;
      cli.voice.say("the server's log says why and what to do");
      cli.exitWith(exitCodes.negative);
    });
}

interface Health {
  readonly serving: boolean;
  readonly info: MessageOut<'spire.api.server.debug.v1.GetInfoResponse'>;
}

async function askHealth(server: GrpcConnection): Promise<Health> {
  const { Check } = serviceDefinition('grpc.health.v1.Health');
  const { GetInfo } = serviceDefinition('spire.api.server.debug.v1.Debug');
  const { status } = await server.unary(Check, {}, { deadlineMs: 5000 });
  return { serving: status === 'SERVING', info: await server.unary(GetInfo, {}, { deadlineMs: 5000 }) };
}

function fieldsOf({ serving, info }: Health) {
  const [own, issuer] = info.svid_chain ?? [];
  return {
    serving,
    uptime: info.uptime ?? 0,
    svid: { id: idText(own?.id), expiresAt: instant(own?.expires_at) },
    authority: { expiresAt: instant(issuer?.expires_at) },
    nodes: info.agents_count ?? 0,
    entries: info.entries_count ?? 0,
    federatedBundles: info.federated_bundles_count ?? 0,
  };
}

function linesOf(health: Health): string[] {
  const { uptime, svid, nodes, entries, federatedBundles } = fieldsOf(health);
  const [own, issuer] = health.info.svid_chain ?? [];
  const now = Date.now();
  return factLines([
    ['server', svid.id],
    ['up for', duration(uptime)],
    ['own SVID ends', own ? timeAndDistance(own.expires_at, now) : ''],
    ['authority ends', issuer ? timeAndDistance(issuer.expires_at, now) : ''],
    ['nodes', String(nodes)],
    ['entries', String(entries)],
    ['federated bundles', String(federatedBundles)],
  ]).map((line) => `  ${line}`);
}
