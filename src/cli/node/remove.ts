import type { ServiceError } from '@grpc/grpc-js';
import { status as grpcStatus } from '@grpc/grpc-js';
import { Command } from 'commander';
import { Fault } from '../../base/faults/fault.js';
import { remoteStatus } from '../../transport/grpc-client.js';
import { type AdminOptions, adminSocketOption, idMessage, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { confirmed, yesOption } from '../confirm.js';
import { examples } from '../examples.js';
import { type OutputOptions, outputOption } from '../output.js';
import { type Result, tellResults } from '../results.js';
import { agentApi } from './message.js';

/** `plastron node evict ID...`: the nodes are forgotten, and may come back by attesting again. */
export function nodeEvict(cli: Cli): Command {
  return removal(cli, {
    verb: 'evict',
    kind: 'NodeEviction',
    method: agentApi.DeleteAgent,
    consequence: 'it gets no new SVIDs until it attests again',
    more: 'An evicted node may attest again, with a new join token where it used one; evicting a banned node lifts the ban.',
  });
}

/** `plastron node ban ID...`: the nodes are shut out until they are evicted. */
export function nodeBan(cli: Cli): Command {
  return removal(cli, {
    verb: 'ban',
    kind: 'NodeBan',
    method: agentApi.BanAgent,
    consequence: 'it is refused, and its agent shuts down',
    more: 'A banned node stays shut out until it is evicted. SVIDs that its workloads have go on until they expire.',
  });
}

interface Removal {
  readonly verb: 'evict' | 'ban';
  readonly kind: string;
  readonly method: typeof agentApi.DeleteAgent | typeof agentApi.BanAgent;
  /** For the question, of one node. */
  readonly consequence: string;
  readonly more: string;
}

function removal(cli: Cli, { verb, kind, method, consequence, more }: Removal): Command {
  return new Command()
    .argument('<id...>', 'SPIFFE IDs of agents, as `plastron node list` shows them')
    .requiredOption(...adminSocketOption)
    .addOption(yesOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `\n${more}\n${examples(`plastron node ${verb} spiffe://shop.example/spire/agent/x509pop/1f3a`)}`,
    )
    .action(async (ids: string[], options: AdminOptions & OutputOptions & { yes?: true }) => {
      const messages = ids.map(idMessage);
      const who = ids.length === 1 ? ids[0] : `${ids.length} nodes`;
      if (!(await confirmed(cli, options.yes, `${verb} ${who}? ${consequence}`))) return;
      const results = await withServer(options, async (server) => {
        const outcomes: Result[] = [];
        for (const [at, id] of messages.entries()) {
          outcomes.push({ id: ids[at] ?? '', status: await statusOf(server.unary(method, { id })) });
        }
        return outcomes;
      });
      const done = verb === 'ban' ? 'banned' : 'evicted';
      tellResults(cli, options.output, kind, results, ({ id }) => `- ${id} ${done}`);
    });
}

/** A node that is not there hinders the others as little as a member of a batch does. */
async function statusOf(call: Promise<unknown>): Promise<Result['status']> {
  try {
    await call;
    return { code: grpcStatus.OK, message: '' };
  } catch (error) {
    if (!(error instanceof Fault) || remoteStatus(error) !== 'NOT_FOUND') throw error;
    const { code, details } = error.cause as ServiceError;
    return { code, message: details };
  }
}
