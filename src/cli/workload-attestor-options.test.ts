import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import {
  addWorkloadAttestorOptions,
  type WorkloadAttestorOptions,
  workloadAttestorSettings,
} from './workload-attestor-options.js';

function settingsOf(...args: string[]) {
  const command = addWorkloadAttestorOptions(new Command()).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  const options = command.parse(args, { from: 'user' }).opts<WorkloadAttestorOptions>();
  return workloadAttestorSettings(options, (given) => `/cwd/${given}`.replace(/^\/cwd\/\//, '/'));
}

test('without a word workloads are looked at by unix alone', () => {
  assert.deepEqual(settingsOf(), { unix: { maxHashedBytes: 512 * 1024 * 1024 } });
});

test('each method is there when it is named, with its options', () => {
  const account = '/var/run/secrets/kubernetes.io/serviceaccount';
  assert.deepEqual(settingsOf('--workload-attestors', 'systemd, docker,k8s,unix', '--hash-limit', '0'), {
    unix: { maxHashedBytes: 0 },
    docker: { socket: '/var/run/docker.sock' },
    k8s: {
      kubelet: {
        url: 'https://127.0.0.1:10250',
        caFile: `${account}/ca.crt`,
        tokenFile: `${account}/token`,
      },
      containers: true,
    },
    systemd: true,
  });
  const k8s = ['--workload-attestors', 'k8s', '--no-k8s-containers', '--kubelet'];
  assert.deepEqual(settingsOf(...k8s, 'http://127.0.0.1:10255'), {
    k8s: { kubelet: { readOnlyPort: 10255 }, containers: false },
  });
  assert.deepEqual(settingsOf(...k8s, 'https://node-1:10250', '--kubelet-ca-file', 'ca'), {
    k8s: {
      kubelet: { url: 'https://node-1:10250', caFile: '/cwd/ca', tokenFile: `${account}/token` },
      containers: false,
    },
  });
});

test('what is no method, no limit or no kubelet is refused, and no kubelet elsewhere is asked without TLS', () => {
  for (const args of [
    ['--workload-attestors', 'unix,dokcer'],
    ['--workload-attestors', ''],
    ['--hash-limit', '-1'],
    ['--kubelet', '127.0.0.1:10250'],
    ['--kubelet', 'http://node-1:10255'],
    ['--kubelet', 'https://node-1:10250/pods'],
    ['--kubelet', 'https://user@node-1:10250'],
  ]) {
    assert.throws(() => settingsOf(...args), /is invalid/, args.join(' '));
  }
});
