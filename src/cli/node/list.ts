import { Command } from 'commander';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { examples } from '../examples.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { during } from '../progress.js';
import { fromNow } from '../times.js';
import { formatTable } from '../voice.js';
import { type FilterOptions, nodeFilterOf, withNodeFilter } from './filter.js';
import { type AgentMessage, listAgents, nodeFields } from './message.js';

/** `plastron node list`: the nodes that fit, all of them without a filter. */
export function nodeList(cli: Cli): Command {
  return withNodeFilter(new Command().requiredOption(...adminSocketOption).addOption(outputOption()))
    .addHelpText('after', examples('plastron node list --banned', 'plastron node list -o json'))
    .action(async (options: AdminOptions & OutputOptions & FilterOptions) => {
      const filter = nodeFilterOf(options);
      const agents = await withServer(options, (server) =>
        during('listing the nodes', cli, (tell) => listAgents(server, filter, (count) => tell(`${count}`))),
      );
      const now = Date.now();
      const items = agents.map((agent) => nodeFields(agent, now));
      output(cli, options.output, { kind: 'NodeList', items }, () => table(agents, now));
    });
}

function table(agents: readonly AgentMessage[], now: number): string[] {
  const rows = agents
    .map((agent) => {
      const { id, state, attestation, agentVersion } = nodeFields(agent, now);
      return [id, state, attestation, fromNow(agent.x509svid_expires_at, now), agentVersion || 'unknown'];
    })
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return formatTable(['NODE', 'STATE', 'ATTESTED BY', 'SVID ENDS', 'VERSION'], rows);
}
