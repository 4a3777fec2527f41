import { join } from 'node:path';
import { fetched, outputOf, sourceOf } from './fetched.js';
import type { Program } from './program-steps.js';

/** A client in another language, or the reason why it cannot run here; a client that does not compile is a failure of its test. */
export interface Client {
  readonly missing: string | false;
  /** Compiles it into a folder of the test's own, if it needs that. */
  build(folder: string): { program: Program; env?: NodeJS.ProcessEnv };
}

/** py-spiffe and spiffe-tls, by pip. */
export function pythonClient(): Client {
  return clientOf('needs Python 3 with pip and the packages', () => {
    const source = sourceOf('python-client');
    const version = outputOf(['python3', '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], source);
    const packages = fetched(
      'python-client',
      'requirements.txt',
      [
        ...['python3', '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-compile'],
        ...[
          '--require-hashes',
          '--only-binary=:all:',
          '--target',
          'DIR',
          '--requirement',
          'requirements.txt',
        ],
      ],
      version.trim(),
    );
    const env = { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' };
    return () => ({ program: ['python3', join(source, 'client.py')], env });
  });
}

function clientOf(needs: string, prepare: () => Client['build']): Client {
  try {
    return { missing: false, build: prepare() };
  } catch (error) {
    const missing = `${needs} (${error instanceof Error ? error.message : String(error)})`;
    return {
      missing,
      build() {
        throw new Error(missing);
      },
    };
  }
}
