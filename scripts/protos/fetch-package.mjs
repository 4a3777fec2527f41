// Brings one package of a public registry onto this machine with that registry's ordinary client, and says where it lies.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the unpacked package; `scratch` is a folder of its own for whatever the client needs. */
export function fetchPackage({ kind, package: name, version }, scratch) {
  mkdirSync(scratch, { recursive: true });
  return clients[kind](name, version, scratch);
}

const clients = {
  cargo(name, version, scratch) {
    mkdirSync(join(scratch, 'src'));
    writeFileSync(join(scratch, 'src/lib.rs'), '');
    writeFileSync(
      join(scratch, 'Cargo.toml'),
      `[package]\nname = "scratch"\nversion = "0.0.0"\nedition = "2021"\n\n[dependencies]\n${name} = "=${version}"\n`,
    );
    const { packages } = JSON.parse(run('cargo', ['metadata', '--format-version', '1'], scratch));
    return dirname(packages.find((each) => each.name === name && each.version === version).manifest_path);
  },
  go(name, version, scratch) {
    return JSON.parse(run('go', ['mod', 'download', '-json', `${name}@${version}`], scratch)).Dir;
  },
  maven(name, version, scratch) {
    const args = [`-Dartifact=${name}:${version}`, `-DoutputDirectory=${scratch}`];
    run('mvn', ['--quiet', '--batch-mode', 'dependency:unpack', ...args], scratch);
    return scratch;
  },
  npm(name, version, scratch) {
    const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', `${name}@${version}`], scratch));
    run('tar', ['-xzf', filename], scratch);
    return join(scratch, 'package');
  },
};

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}${stdout}`);
  return stdout;
}
