import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { BootstrapTrust } from '../agent/bootstrap-trust.js';
import { runAgent } from '../app/agent.js';
import { fault } from '../base/faults/fault.js';
import { bundleFromPem } from '../spiffe/bundle-pem.js';
import { parseTrustDomain, type TrustDomain } from '../spiffe/id.js';
import { createLog, type LogLevel } from '../telemetry/log.js';
import { keepMemoryPrivate } from '../transport/private-memory.js';
import type { Cli } from './cli.js';
import { hostAndPort } from './host-and-port.js';
import { addSdsOptions, type SdsOptions, sdsSettings } from './sds-options.js';
import { aborted, stopSignal } from './stop-signal.js';
import { readTextFile } from './text-file.js';
import { wholeSeconds } from './whole-seconds.js';
import {
  addWorkloadAttestorOptions,
  type WorkloadAttestorOptions,
  workloadAttestorSettings,
} from './workload-attestor-options.js';

interface Options extends SdsOptions, WorkloadAttestorOptions {
  trustDomain: string;
  server: string[];
  dataDir: string;
  socket: string;
  adminSocket: string;
  trustBundle?: string;
  trustBundleSha256?: string;
  insecureBootstrap?: true;
  joinTokenFile?: string;
  x509popCert?: string;
  x509popKey?: string;
  k8sPsatCluster?: string;
  k8sPsatTokenFile: string;
  svidCache?: true;
  syncInterval: number;
  logLevel: LogLevel;
}

/** `plastron agent run`: an agent until it is stopped; its log on stderr. */
export function agentRun(cli: Cli): Command {
  const command = new Command()
    .requiredOption('--trust-domain <name>', 'the trust domain that the agent belongs to')
    .requiredOption(
      '--server <host:port>',
      'where a server answers; several (again, or with commas) are tried in turn',
      serverAddresses,
    )
    .requiredOption('--data-dir <dir>', "the agent's own identity; keys of workloads only with --svid-cache")
    .requiredOption('--socket <path>', 'the socket that workloads and Envoys connect to')
    .requiredOption('--admin-socket <path>', "the socket for the agent's own user")
    .option('--trust-bundle <file>', 'trust the server that this bundle (PEM) verifies')
    .option('--trust-bundle-sha256 <hex>', 'trust the server whose bundle has this SHA-256', sha256)
    .option('--insecure-bootstrap', 'trust whoever answers first: only where nobody else can answer')
    .option('--join-token-file <file>', 'the token to attest with; PLASTRON_JOIN_TOKEN may hold it instead')
    .option('--x509pop-cert <file>', 'attest with this certificate and its intermediates (PEM)')
    .option('--x509pop-key <file>', 'the key of that certificate (PEM)')
    .option(
      '--k8s-psat-cluster <name>',
      'attest as a node of this Kubernetes cluster, as the server calls it',
    )
    .option(
      '--k8s-psat-token-file <file>',
      'the projected service account token to attest with',
      '/var/run/secrets/tokens/plastron-agent',
    )
    .option(
      '--svid-cache',
      "keep workloads' SVIDs with their keys, encrypted, so that a restart serves at once while the server is away",
    )
    .option(
      '--sync-interval <seconds>',
      'how often a server that does not push changes, as SPIRE’s, is asked for them',
      wholeSeconds,
      5,
    );
  return addWorkloadAttestorOptions(addSdsOptions(command))
    .addOption(
      new Option('--log-level <level>', 'how much is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addHelpText(
      'after',
      '\nOnce attested, the agent keeps its identity in the data directory and needs no token again.',
    )
    .action((options: Options) => run(cli, options));
}

async function run(cli: Cli, options: Options): Promise<void> {
  keepMemoryPrivate();
  const path = (given: string) => resolve(cli.cwd, given);
  const trustDomain = parseTrustDomain(options.trustDomain);
  const token = cli.env.PLASTRON_JOIN_TOKEN;
  const signal = stopSignal();
  const log = createLog({ level: options.logLevel, fields: { role: 'agent' } });
  const running = await runAgent({
    trustDomain,
    servers: options.server,
    dataDir: path(options.dataDir),
    // Not made absolute: a socket's path must be short.
    socket: options.socket,
    adminSocket: options.adminSocket,
    bootstrap: bootstrapTrust(cli, options, trustDomain),
    joinToken: {
      ...(options.joinTokenFile === undefined ? {} : { file: path(options.joinTokenFile) }),
      ...(token === undefined ? {} : { token }),
    },
    ...x509Pop(options, path),
    ...(options.k8sPsatCluster === undefined
      ? {}
      : { k8sPsat: { cluster: options.k8sPsatCluster, tokenFile: path(options.k8sPsatTokenFile) } }),
    svidCache: options.svidCache ?? false,
    syncIntervalMs: options.syncInterval * 1000,
    ...sdsSettings(options),
    workloads: workloadAttestorSettings(options, path),
    log,
    signal,
  });
  await aborted(signal);
  log.info({}, 'the agent is stopping');
  await running?.close();
}

function bootstrapTrust(cli: Cli, options: Options, trustDomain: TrustDomain): BootstrapTrust {
  const { trustBundle, trustBundleSha256: fingerprint, insecureBootstrap } = options;
  const given: BootstrapTrust[] = [];
  if (trustBundle !== undefined) {
    given.push({ kind: 'bundle', bundle: bundleFromPem(trustDomain, readTextFile(cli, trustBundle).text) });
  }
  if (fingerprint !== undefined) given.push({ kind: 'sha256', fingerprint });
  if (insecureBootstrap) given.push({ kind: 'insecure' });
  const [trust, ...others] = given;
  if (!trust || others.length > 0) throw fault('CLI0301', {});
  if (trust.kind === 'insecure') {
    cli.voice.say(
      `${cli.voice.paint('bad', 'INSECURE', 'stderr')}: --insecure-bootstrap trusts whichever server answers first`,
    );
  }
  return trust;
}

function x509Pop({ x509popCert: cert, x509popKey: key }: Options, path: (given: string) => string) {
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined || key === undefined) throw fault('CLI0302', {});
  return { x509Pop: { certFile: path(cert), keyFile: path(key) } };
}

function serverAddresses(given: string, before: readonly string[] = []): string[] {
  const addresses = given.split(',').map((address) => address.trim());
  for (const address of addresses) hostAndPort(address);
  return [...new Set([...before, ...addresses])];
}

function sha256(given: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(given)) throw new InvalidArgumentError('Give 64 hexadecimal digits.');
  return given.toLowerCase();
}
