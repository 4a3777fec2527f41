import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { startServer } from '../app/server.js';
import { diskKeys, type KeyManager, memoryKeys } from '../ca/key-manager.js';
import { parseTrustDomain, parseWorkloadId } from '../spiffe/id.js';
import { createLog, type LogLevel } from '../telemetry/log.js';
import { keepMemoryPrivate } from '../transport/private-memory.js';
import type { Cli } from './cli.js';
import { hostAndPort } from './host-and-port.js';
import { several } from './several.js';
import { aborted, stopSignal } from './stop-signal.js';
import { databaseOf, type StoreOptions } from './store-options.js';
import { readTextFile } from './text-file.js';
import { wholeSeconds } from './whole-seconds.js';

interface Options extends StoreOptions {
  trustDomain: string;
  dataDir: string;
  listen: { host: string; port: number };
  adminSocket: string;
  policy?: string;
  entries?: string;
  adminId?: string[];
  x509popCa?: string;
  k8sPsat?: string;
  attestationsPerSecond: number;
  x509SvidTtl: number;
  jwtSvidTtl: number;
  caTtl: number;
  keyManager: keyof typeof keyManagers;
  logLevel: LogLevel;
}

const keyManagers = { disk: diskKeys, memory: memoryKeys } satisfies Record<string, KeyManager>;

/** `plastron server run`: a server until it is stopped; its log on stderr. */
export function serverRun(cli: Cli): Command {
  return new Command()
    .requiredOption('--trust-domain <name>', 'the trust domain that the server stands for')
    .requiredOption('--data-dir <dir>', 'the database and the signing keys; made when it is not there')
    .addOption(
      new Option('--store <url>', 'a PostgreSQL database instead of a file, without a password').conflicts(
        'storeFile',
      ),
    )
    .option('--store-file <file>', 'a file (0600) with the URL of the database, which may hold a password')
    .requiredOption('--listen <host:port>', 'where agents connect', hostAndPort)
    .requiredOption('--admin-socket <path>', "the socket for the server's own user, who may do everything")
    .option('--policy <dir>', 'the policy files; without it no policy is served')
    .option('--entries <file>', 'registration entries that are created or updated at the start')
    .option(
      '--admin-id <id>',
      'a SPIFFE ID, of any trust domain, with the rights of operators; may be repeated',
      several,
    )
    .option('--x509pop-ca <file>', 'attest nodes that have a certificate of one of these authorities (PEM)')
    .option('--k8s-psat <file>', 'attest nodes of the Kubernetes clusters that this file (YAML) names')
    .option(
      '--attestations-per-second <n>',
      'failed attempts to attest that one address has in a second; 0 for no limit',
      wholeNumber,
      1,
    )
    .option(
      '--x509-svid-ttl <seconds>',
      'how long an SVID lasts unless its entry says otherwise',
      wholeSeconds,
      3600,
    )
    .option(
      '--jwt-svid-ttl <seconds>',
      'how long a JWT-SVID lasts unless its entry says otherwise',
      wholeSeconds,
      300,
    )
    .option('--ca-ttl <seconds>', 'how long a signing authority lasts', wholeSeconds, 86_400)
    .addOption(
      new Option(
        '--key-manager <where>',
        'where signing keys are kept: with memory, a restart means new authorities',
      )
        .choices(Object.keys(keyManagers))
        .default('disk'),
    )
    .addOption(
      new Option('--log-level <level>', 'how much is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addHelpText('after', '\nAgents trust it by its bundle: `plastron bundle show` prints it.')
    .action((options: Options) => run(cli, options));
}

async function run(cli: Cli, options: Options): Promise<void> {
  keepMemoryPrivate();
  const { listen, policy, entries, x509popCa, k8sPsat, x509SvidTtl, caTtl, logLevel } = options;
  const signal = stopSignal();
  const log = createLog({ level: logLevel, fields: { role: 'server' } });
  const server = await startServer({
    trustDomain: parseTrustDomain(options.trustDomain),
    dataDir: resolve(cli.cwd, options.dataDir),
    ...databaseOf(cli, options),
    ...listen,
    // Not made absolute: a socket's path must be short.
    adminSocket: options.adminSocket,
    ...(policy === undefined ? {} : { policyDir: resolve(cli.cwd, policy) }),
    ...(entries === undefined ? {} : { entries: readTextFile(cli, entries) }),
    adminIds: (options.adminId ?? []).map(parseWorkloadId),
    attestors: {
      ...(x509popCa === undefined ? {} : { x509PopCa: readTextFile(cli, x509popCa) }),
      ...(k8sPsat === undefined ? {} : { k8sPsat: readTextFile(cli, k8sPsat) }),
    },
    attestationsPerSecond: options.attestationsPerSecond,
    x509SvidTtl,
    jwtSvidTtl: options.jwtSvidTtl,
    caTtl,
    keys: keyManagers[options.keyManager],
    log,
  });
  await aborted(signal);
  log.info({}, 'the server is stopping');
  await server.close();
}

function wholeNumber(given: string): number {
  if (!/^\d{1,6}$/.test(given)) throw new InvalidArgumentError('Write a whole number.');
  return Number(given);
}
