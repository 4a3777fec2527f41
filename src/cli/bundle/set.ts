import { Command } from 'commander';
import { bundleMessage } from '../../server/api/messages.js';
import { parseTrustDomain } from '../../spiffe/id.js';
import { type AdminOptions, adminSocketOption, refusal, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { examples } from '../examples.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { readTextFile } from '../text-file.js';
import { type BundleFormat, bundleFromText, formatOption } from './format.js';
import { bundleApi, bundleFields } from './message.js';

/** `plastron bundle set TRUST_DOMAIN -f FILE`: takes the bundle of another trust domain, in the place of the one before. */
export function bundleSet(cli: Cli): Command {
  return new Command()
    .argument('<trust-domain>', 'whose bundle it is; never the one of the server itself')
    .requiredOption(...adminSocketOption)
    .requiredOption('-f, --file <file>', 'the bundle')
    .addOption(formatOption())
    .addOption(outputOption())
    .addHelpText('after', examples('plastron bundle set other.example -f other.pem'))
    .action(
      async (
        name: string,
        options: AdminOptions & OutputOptions & { file: string; format: BundleFormat },
      ) => {
        const trustDomain = parseTrustDomain(name);
        const bundle = bundleFromText(trustDomain, readTextFile(cli, options.file).text, options.format);
        const { results = [] } = await withServer(options, (server) =>
          server.unary(bundleApi.BatchSetFederatedBundle, { bundle: [bundleMessage(bundle)] }),
        );
        const { status, bundle: set } = results[0] ?? {};
        if (status?.code || !set) throw refusal(status?.message ?? '');
        const fields = bundleFields(set);
        output(cli, options.output, { kind: 'Bundle', ...fields }, () => [
          `~ ${trustDomain}: ${fields.x509Authorities} X.509 and ${fields.jwtAuthorities} JWT authorities`,
        ]);
      },
    );
}
