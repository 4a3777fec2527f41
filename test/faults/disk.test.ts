import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/children.js';
import { surviveDiskTrouble } from '../support/disk-trouble.js';
import { faultyDisk, faultyDiskMissing } from '../support/faulty-disk.js';
import { postgresMissing, startPostgres } from '../support/postgres.js';
import { smallDisk, smallDiskMissing } from '../support/small-disk.js';

const timeout = 120_000;

test('S37: a full disk: writes are refused with the way out, everything else goes on, and writing too once there is room', {
  timeout,
  skip: smallDiskMissing(),
}, async (t) => {
  const disk = await smallDisk(t, 24);
  await surviveDiskTrouble(t, {
    server: { dataDir: join(disk.folder, 'data'), command: disk.command },
    begin: disk.fill,
    end: disk.free,
    told: /STO0201: .* is full, so nothing was written \(make room on the disk/,
  });
});

for (const [code, problem, told] of [
  ['EROFS', 'becomes read-only', /STO020[23]: .*\((?:make the file|look at the disk)/],
  ['EIO', 'fails', /STO0203: the disk failed .* so nothing was written \(look at the disk/],
] as const) {
  test(`S37: a disk that ${problem}: writes are refused with the way out, everything else goes on, and writing too once it is well`, {
    timeout,
    skip: faultyDiskMissing(),
  }, async (t) => {
    const folder = temporaryFolder(t);
    const disk = faultyDisk(t, folder);
    await surviveDiskTrouble(t, {
      server: { dataDir: join(folder, 'data'), env: disk.env },
      begin: () => disk.fail(code),
      end: disk.heal,
      told,
    });
  });
}

test('S37: a database that goes away: writes are refused with the way out, everything else goes on, and writing too once it is back', {
  timeout,
  skip: postgresMissing(),
}, async (t) => {
  const postgres = await startPostgres(t);
  const flags = ['--store', await postgres.newDatabase()];
  await surviveDiskTrouble(t, {
    server: { dataDir: join(temporaryFolder(t), 'data'), flags },
    begin: postgres.stop,
    end: postgres.start,
    told: /STO040[12]: /,
  });
});
