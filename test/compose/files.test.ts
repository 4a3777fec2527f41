import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { loadEntries } from '../../src/registration/entries-file.js';
import { parseTrustDomain } from '../../src/spiffe/id.js';
import { attempt, composeSchema, hadolint } from './harness/tools.js';

const folder = fileURLToPath(new URL('../../../examples/docker-compose/', import.meta.url));
const compose = parse(readFileSync(`${folder}compose.yaml`, 'utf8'), { merge: true }) as Compose;

interface Compose {
  services: Record<string, Service>;
}

interface Service {
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  privileged?: boolean;
  security_opt?: string[];
  ports?: string[];
  network_mode?: string;
  pid?: string;
  volumes: string[];
}

const schema = attempt(composeSchema);

test('the compose file is one by the compose specification', { skip: schema.reason ?? false }, () => {
  // The schema names its dialect by an address that Ajv does not know; it is draft 7, which is what Ajv speaks.
  const { $schema, ...rules } = schema.value as { $schema: string };
  assert.match($schema, /draft-07/);
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const isValid = ajv.compile(rules);
  assert.ok(isValid(compose), ajv.errorsText(isValid.errors));
  assert.ok(!isValid({ ...compose, servcies: {} }), 'the schema takes anything');
});

const linter = attempt(hadolint);

test('hadolint has nothing to say about the Dockerfile', { skip: linter.reason ?? false }, () => {
  const { stdout, status } = spawnSync(String(linter.value), [`${folder}Dockerfile`], { encoding: 'utf8' });
  assert.equal(stdout, '');
  assert.equal(status, 0);
});

test('no container is root, has capabilities, can write to its root or is open to the network of the host', () => {
  for (const [name, service] of Object.entries(compose.services)) {
    assert.match(service.user ?? '', /^1\d{4}:1\d{4}$/, name);
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    assert.equal(service.cap_add ?? service.privileged ?? service.ports, undefined, name);
    assert.equal(service.pid === 'host', name === 'agent', name);
  }
});

test('an application has no network, and shares the volume of its socket with its own Envoy only', () => {
  const applications = ['web-app', 'orders-app', 'web-calls', 'intruder-calls'];
  for (const name of applications) {
    const { network_mode, volumes } = compose.services[name] as Service;
    assert.equal(network_mode, 'none');
    const owner = name.split('-')[0];
    assert.deepEqual(volumes, [`${owner}-run:/run/service`]);
    const others = Object.entries(compose.services).filter(([, other]) =>
      other.volumes.some((v) => v.startsWith(`${owner}-run:`)),
    );
    assert.ok(others.every(([other]) => other.split('-')[0] === owner));
  }
});

test('the entries tell the services apart by the users that the compose file runs their Envoys as', () => {
  const file = { path: 'entries.yaml', text: readFileSync(`${folder}entries.yaml`, 'utf8') };
  const { entries, diagnostics } = loadEntries([file], parseTrustDomain('shop.example'));
  assert.deepEqual(diagnostics, []);
  const users = (entries ?? []).map(({ content }) => [
    content.spiffeId,
    content.selectors.map(({ value }) => value),
  ]);
  const user = (name: string) => `uid:${compose.services[name]?.user?.split(':')[0]}`;
  const names = ['web', 'orders', 'intruder'];
  assert.deepEqual(
    users,
    names.map((name) => [`spiffe://shop.example/${name}`, [user(name)]]),
  );
});
