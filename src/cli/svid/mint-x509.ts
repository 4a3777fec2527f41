import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { bundleFromMessage } from '../../agent/server-messages.js';
import { fault } from '../../base/faults/fault.js';
import { toPem } from '../../base/pem.js';
import { makeCsr } from '../../ca/csr.js';
import { systemErrorCode, writePrivateFile } from '../../disk/private-file.js';
import { checkDnsName } from '../../registration/entry-rules.js';
import { bundleToPem } from '../../spiffe/bundle-pem.js';
import { parseWorkloadId } from '../../spiffe/id.js';
import { type AdminOptions, adminSocketOption, idText, withServer } from '../admin.js';
import { bundleApi } from '../bundle/message.js';
import type { Cli } from '../cli.js';
import { examples } from '../examples.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { several } from '../several.js';
import { fromNow, instant } from '../times.js';
import { wholeSeconds } from '../whole-seconds.js';
import { svidApi } from './message.js';

interface Options extends AdminOptions, OutputOptions {
  spiffeId: string;
  dnsName?: string[];
  ttl?: number;
  write: string;
  force?: true;
}

/** `plastron svid mint-x509`: an X.509-SVID that no entry is behind, in files; its key is made here and goes nowhere else. */
export function svidMintX509(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .requiredOption('--spiffe-id <id>', 'whose identity it says')
    .requiredOption(
      '--write <dir>',
      'where svid.pem, key.pem (0600) and bundle.pem go; made when it is not there',
    )
    .option('--dns-name <name>', 'a DNS name in the certificate; may be given several times', several)
    .option('--ttl <seconds>', "how long it lasts (default: the server's)", wholeSeconds)
    .option('--force', 'replace files that are there already')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `\nThe private key is made here; neither the server nor the terminal sees it.\n${examples(
        'plastron svid mint-x509 --spiffe-id spiffe://shop.example/web --write web-svid',
      )}`,
    )
    .action(async (options: Options) => {
      const { write, force, ttl = 0 } = options;
      const folder = resolve(cli.cwd, write);
      const taken = fileNames.find((name) => existsSync(join(folder, name)));
      if (taken !== undefined && !force) throw fault('CLI0801', { path: join(write, taken) });
      const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
      const csr = makeCsr(key, parseWorkloadId(options.spiffeId), options.dnsName?.map(checkDnsName));
      const { svid, bundle } = await withServer(options, async (server) => ({
        ...(await server.unary(svidApi.MintX509SVID, { csr, ttl })),
        bundle: bundleToPem(bundleFromMessage(await server.unary(bundleApi.GetBundle, {}))),
      }));
      const chain = (svid?.cert_chain ?? []).map((der) => toPem('CERTIFICATE', der)).join('');
      await writeFiles(folder, { key, chain, bundle }, write);
      const files = Object.fromEntries(fileNames.map((name) => [name.split('.')[0], join(write, name)]));
      const id = idText(svid?.id);
      const document = { kind: 'X509Svid', spiffeId: id, expiresAt: instant(svid?.expires_at), files };
      output(cli, options.output, document, () => [
        `+ ${id}, ends ${fromNow(svid?.expires_at, Date.now())}: ${Object.values(files).join(' ')}`,
      ]);
    });
}

const fileNames = ['svid.pem', 'key.pem', 'bundle.pem'] as const;

/** The key first: a certificate without its key is of no use, and is never there without it. Throws CLI0802. */
async function writeFiles(
  folder: string,
  { key, chain, bundle }: { key: KeyObject; chain: string; bundle: string },
  named: string,
): Promise<void> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await writePrivateFile(join(folder, 'key.pem'), key.export({ type: 'pkcs8', format: 'pem' }).toString());
    writeFileSync(join(folder, 'svid.pem'), chain);
    writeFileSync(join(folder, 'bundle.pem'), bundle);
  } catch (cause) {
    throw fault('CLI0802', { folder: named, reason: systemErrorCode(cause) ?? String(cause) }, { cause });
  }
}
