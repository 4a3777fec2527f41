import { Command } from 'commander';
import { bundleFromMessage } from '../../agent/server-messages.js';
import { bundleToPem } from '../../spiffe/bundle-pem.js';
import { serviceDefinition } from '../../wire/services.js';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import type { Cli } from '../cli.js';

/** `plastron bundle show`: the trust bundle as canonical PEM, alone on stdout. */
export function bundleShow(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .addHelpText(
      'after',
      '\nAgents trust the server by it: --trust-bundle FILE, or --trust-bundle-sha256 with what sha256sum says of the file.',
    )
    .action(async (options: AdminOptions) => {
      const { GetBundle } = serviceDefinition('spire.api.server.bundle.v1.Bundle');
      const bundle = await withServer(options, (server) => server.unary(GetBundle, {}));
      cli.stdout.write(bundleToPem(bundleFromMessage(bundle)));
    });
}
