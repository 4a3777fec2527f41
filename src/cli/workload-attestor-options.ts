import { type Command, InvalidArgumentError, Option } from 'commander';
import type { WorkloadAttestorSettings } from '../app/workload-attestors.js';
import type { Kubelet } from '../attestation/workload/k8s/kubelet.js';

const methods = ['unix', 'docker', 'k8s', 'systemd'] as const;
type Method = (typeof methods)[number];

export interface WorkloadAttestorOptions {
  workloadAttestors: readonly Method[];
  /** Bytes. */
  hashLimit: number;
  dockerSocket: string;
  kubelet: URL;
  kubeletCaFile: string;
  kubeletTokenFile: string;
  k8sContainers: boolean;
}

const mebi = 1024 * 1024;
const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

export function addWorkloadAttestorOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--workload-attestors <list>',
        `how workloads are looked at: ${methods.join(', ')}, with commas between them`,
      )
        .argParser(methodList)
        .default(['unix'], 'unix'),
    )
    .addOption(
      new Option('--hash-limit <MiB>', 'executables above have no unix:sha256; 0 for none at all')
        .argParser(mebibytes)
        .default(512 * mebi, '512'),
    )
    .option('--docker-socket <path>', 'where the Docker Engine answers', '/var/run/docker.sock')
    .option(
      '--kubelet <url>',
      'where the kubelet of this node answers; http:// for its read-only port, on 127.0.0.1 only',
      kubeletUrl,
      new URL('https://127.0.0.1:10250'),
    )
    .option(
      '--kubelet-ca-file <file>',
      "what the kubelet's certificate is verified by (PEM)",
      `${serviceAccount}/ca.crt`,
    )
    .option(
      '--kubelet-token-file <file>',
      'the service account token to ask the kubelet with',
      `${serviceAccount}/token`,
    )
    .option('--no-k8s-containers', 'tell pods apart, but not the containers in them');
}

export function workloadAttestorSettings(
  options: WorkloadAttestorOptions,
  path: (given: string) => string,
): WorkloadAttestorSettings {
  const wanted = new Set(options.workloadAttestors);
  return {
    ...(wanted.has('unix') ? { unix: { maxHashedBytes: options.hashLimit } } : {}),
    ...(wanted.has('docker') ? { docker: { socket: path(options.dockerSocket) } } : {}),
    ...(wanted.has('k8s')
      ? { k8s: { kubelet: kubeletOf(options, path), containers: options.k8sContainers } }
      : {}),
    ...(wanted.has('systemd') ? { systemd: true } : {}),
  };
}

function kubeletOf(options: WorkloadAttestorOptions, path: (given: string) => string): Kubelet {
  const { kubelet, kubeletCaFile, kubeletTokenFile } = options;
  return kubelet.protocol === 'http:'
    ? { readOnlyPort: Number(kubelet.port || 80) }
    : { url: kubelet.origin, caFile: path(kubeletCaFile), tokenFile: path(kubeletTokenFile) };
}

function methodList(given: string): Method[] {
  const names = given.split(',').map((name) => name.trim());
  const known = methods.filter((method) => names.includes(method));
  if (known.length === new Set(names).size) return known;
  throw new InvalidArgumentError(`Choose from ${methods.join(', ')}.`);
}

function mebibytes(given: string): number {
  if (!/^\d{1,6}$/.test(given)) throw new InvalidArgumentError('Write a whole number of MiB.');
  return Number(given) * mebi;
}

function kubeletUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isPlain = url?.protocol === 'http:';
  if (!url || (!isPlain && url.protocol !== 'https:') || url.href !== `${url.origin}/`) {
    throw new InvalidArgumentError('Write https://host:port, or http://127.0.0.1:port.');
  }
  if (isPlain && url.hostname !== '127.0.0.1') {
    throw new InvalidArgumentError('Without TLS only 127.0.0.1 can be asked.');
  }
  return url;
}
