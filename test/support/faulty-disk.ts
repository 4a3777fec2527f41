import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { constants, endianness } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ending, temporaryFolder } from './children.js';

const source = fileURLToPath(new URL('../../../test/faults/faulty-disk.c', import.meta.url));

/** The reason why no disk can be made faulty here, or `false`: for `skip`. */
export function faultyDiskMissing(): string | false {
  if (process.platform !== 'linux') return 'needs Linux, to stand between a program and its C library';
  return spawnSync('cc', ['--version']).error ? 'no C compiler (cc)' : false;
}

export interface FaultyDisk {
  /** For the process whose disk it is. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on every write fails with this error. */
  fail(code: 'ENOSPC' | 'EROFS' | 'EIO'): void;
  /** From now on every wait for the disk takes as long. */
  slow(milliseconds: number): void;
  heal(): void;
}

/** Makes the disk under `folder` as bad as the test says, for processes that start with `env`. */
export function faultyDisk(t: Ending, folder: string): FaultyDisk {
  const own = temporaryFolder(t);
  const [library, control] = [join(own, 'disk.so'), join(own, 'control')];
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  writeFileSync(control, new Uint8Array(8));
  const file = openSync(control, 'r+');
  t.after(() => closeSync(file));
  const set = (position: number, value: number) => {
    const bytes = Buffer.alloc(4);
    if (endianness() === 'LE') bytes.writeInt32LE(value);
    else bytes.writeInt32BE(value);
    writeSync(file, bytes, 0, 4, position);
  };
  return {
    env: { LD_PRELOAD: library, FAULTY_DISK_FOLDER: folder, FAULTY_DISK_CONTROL: control },
    fail: (code) => set(0, constants.errno[code]),
    slow: (milliseconds) => set(4, milliseconds * 1000),
    heal: () => {
      set(0, 0);
      set(4, 0);
    },
  };
}
