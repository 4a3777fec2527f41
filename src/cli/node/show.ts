import { Command } from 'commander';
import { type AdminOptions, adminSocketOption, idMessage, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { timeAndDistance } from '../times.js';
import { factLines } from '../voice.js';
import { type AgentMessage, agentApi, nodeFields } from './message.js';

/** `plastron node show ID`: everything about one node. */
export function nodeShow(cli: Cli): Command {
  return new Command()
    .argument('<id>', 'the SPIFFE ID of the agent, as `plastron node list` shows it')
    .requiredOption(...adminSocketOption)
    .addOption(outputOption())
    .action(async (id: string, options: AdminOptions & OutputOptions) => {
      const agent = await withServer(options, (server) =>
        server.unary(agentApi.GetAgent, { id: idMessage(id) }),
      );
      const now = Date.now();
      output(cli, options.output, { kind: 'Node', ...nodeFields(agent, now) }, () => lines(agent, now));
    });
}

function lines(agent: AgentMessage, now: number): string[] {
  const { id, state, attestation, selectors, canReattest, svidSerial, agentVersion } = nodeFields(agent, now);
  return factLines([
    ['Node', id],
    ['State', state],
    ['Attested by', attestation],
    ['Attests again', canReattest ? 'yes, by itself' : 'no: it needs a new join token'],
    ['Selectors', selectors],
    ['SVID serial', svidSerial],
    ['SVID ends', timeAndDistance(agent.x509svid_expires_at, now)],
    ['Agent version', agentVersion || 'unknown'],
  ]);
}
