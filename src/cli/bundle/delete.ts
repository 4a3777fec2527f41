import { Command, Option } from 'commander';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { confirmed, yesOption } from '../confirm.js';
import { type OutputOptions, outputOption } from '../output.js';
import { tellResults } from '../results.js';
import { bundleApi } from './message.js';

interface Options extends AdminOptions, OutputOptions {
  withEntries: keyof typeof modes;
  yes?: true;
}

const modes = { keep: 'RESTRICT', dissociate: 'DISSOCIATE', delete: 'DELETE' } as const;

/** `plastron bundle delete TRUST_DOMAIN...`: other trust domains are no longer trusted. */
export function bundleDelete(cli: Cli): Command {
  return new Command()
    .argument('<trust-domain...>', 'as `plastron bundle list` shows them')
    .requiredOption(...adminSocketOption)
    .addOption(
      new Option(
        '--with-entries <what>',
        'entries that federate with it: keep refuses when there are any, dissociate lets them go on without, delete deletes them',
      )
        .choices(Object.keys(modes))
        .default('keep'),
    )
    .addOption(yesOption())
    .addOption(outputOption())
    .action(async (trust_domains: string[], options: Options) => {
      const consequence =
        options.withEntries === 'delete' ? ', and delete all entries that federate with it' : '';
      if (!(await confirmed(cli, options.yes, `stop trusting ${trust_domains.join(', ')}${consequence}?`)))
        return;
      const { results = [] } = await withServer(options, (server) =>
        server.unary(bundleApi.BatchDeleteFederatedBundle, {
          trust_domains,
          mode: modes[options.withEntries],
        }),
      );
      const told = trust_domains.map((id, at) => ({ id, status: results[at]?.status }));
      tellResults(cli, options.output, 'BundleDeletion', told, ({ id }) => `- ${id}`);
    });
}
