import { Command } from 'commander';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { everyPage } from '../pages.js';
import { during } from '../progress.js';
import { fromNow } from '../times.js';
import { formatTable } from '../voice.js';
import { type BundleMessage, bundleApi, bundleFields, lastEnd } from './message.js';

/** `plastron bundle list`: the bundles of other trust domains that the server has. */
export function bundleList(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .addOption(outputOption())
    .action(async (options: AdminOptions & OutputOptions) => {
      const bundles = await withServer(options, (server) =>
        during('listing the bundles', cli, (tell) =>
          everyPage(
            async (page) => {
              const { bundles = [], next_page_token } = await server.unary(
                bundleApi.ListFederatedBundles,
                page,
              );
              return { items: bundles, next: next_page_token };
            },
            (count) => tell(`${count}`),
          ),
        ),
      );
      const document = { kind: 'BundleList', items: bundles.map(bundleFields) };
      output(cli, options.output, document, () => table(bundles, Date.now()));
    });
}

function table(bundles: readonly BundleMessage[], now: number): string[] {
  const rows = bundles.map((bundle) => {
    const { trustDomain, x509Authorities, jwtAuthorities, sequence } = bundleFields(bundle);
    const end = lastEnd(bundle);
    const ends = end === 0 ? 'nothing to end' : fromNow(end, now);
    return [trustDomain, String(x509Authorities), String(jwtAuthorities), sequence, ends];
  });
  return formatTable(['TRUST DOMAIN', 'X.509 AUTHORITIES', 'JWT AUTHORITIES', 'SEQUENCE', 'LAST ENDS'], rows);
}
