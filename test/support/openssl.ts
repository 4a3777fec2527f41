import { spawnSync } from 'node:child_process';

/** The reason why tests against the `openssl` program cannot run here, or `false` when they can: for `skip`. */
export function opensslMissing(): string | false {
  const { error, status } = spawnSync('openssl', ['version']);
  return error || status !== 0 ? 'there is no `openssl` on PATH to compare with' : false;
}

/** Runs `openssl` with `input` on its standard input; `ok` is whether it ended with 0. */
export function openssl(
  args: readonly string[],
  input: string | Uint8Array = '',
): { ok: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync('openssl', [...args], { input, encoding: 'utf8' });
  return { ok: status === 0, output: `${stdout}${stderr}` };
}
