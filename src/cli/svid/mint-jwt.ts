import { Command } from 'commander';
import { type AdminOptions, adminSocketOption, idMessage, idText, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { examples } from '../examples.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { several } from '../several.js';
import { instant } from '../times.js';
import { wholeSeconds } from '../whole-seconds.js';
import { svidApi } from './message.js';

interface Options extends AdminOptions, OutputOptions {
  spiffeId: string;
  audience: string[];
  ttl?: number;
}

/** `plastron svid mint-jwt`: a JWT-SVID that no entry is behind; for people the token alone on stdout. */
export function svidMintJwt(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .requiredOption('--spiffe-id <id>', 'whose identity it says')
    .requiredOption('--audience <name>', 'who is to accept it; may be given several times', several)
    .option('--ttl <seconds>', "how long it lasts (default: the server's)", wholeSeconds)
    .addOption(outputOption())
    .addHelpText(
      'after',
      `\nWhoever has the token has the identity, until it expires: give it to nobody else.\n${examples(
        'plastron svid mint-jwt --spiffe-id spiffe://shop.example/web --audience orders',
      )}`,
    )
    .action(async ({ spiffeId, audience, ttl = 0, ...options }: Options) => {
      const { svid } = await withServer(options, (server) =>
        server.unary(svidApi.MintJWTSVID, { id: idMessage(spiffeId), audience, ttl }),
      );
      const { token = '', issued_at, expires_at } = svid ?? {};
      const times = { issuedAt: instant(issued_at), expiresAt: instant(expires_at) };
      const document = { kind: 'JwtSvid', spiffeId: idText(svid?.id), audience, ...times, token };
      output(cli, options.output, document, () => [token]);
    });
}
