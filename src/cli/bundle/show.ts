import { Command } from 'commander';
import { bundleFromMessage } from '../../agent/server-messages.js';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { examples } from '../examples.js';
import { type BundleFormat, bundleText, formatOption } from './format.js';
import { bundleApi } from './message.js';

/** `plastron bundle show [TRUST_DOMAIN]`: a trust bundle, alone on stdout; the server's own unless another one is named. */
export function bundleShow(cli: Cli): Command {
  return new Command()
    .argument(
      '[trust-domain]',
      "another trust domain whose bundle the server has (default: the server's own)",
    )
    .requiredOption(...adminSocketOption)
    .addOption(formatOption())
    .addHelpText(
      'after',
      `${examples(
        'plastron bundle show > bundle.pem',
        'plastron bundle show other.example --format spiffe',
      )}\n\nAgents trust the server by its own: --trust-bundle FILE, or --trust-bundle-sha256 with what sha256sum says of the file.`,
    )
    .action(async (trustDomain: string | undefined, options: AdminOptions & { format: BundleFormat }) => {
      const bundle = await withServer(options, (server) =>
        trustDomain === undefined
          ? server.unary(bundleApi.GetBundle, {})
          : server.unary(bundleApi.GetFederatedBundle, { trust_domain: trustDomain }),
      );
      cli.stdout.write(bundleText(bundleFromMessage(bundle), options.format));
    });
}
