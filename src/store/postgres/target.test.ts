import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../../test/support/children.js';
import { Fault } from '../../base/faults/fault.js';
import { type DatabaseSource, type Environment, readTarget } from './target.js';

/** A home without files, in which `files` are made with their modes. */
function home(t: TestContext, files: Record<string, [text: string, mode?: number]> = {}) {
  const folder = temporaryFolder(t);
  for (const [name, [text, mode = 0o600]] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), mode);
  }
  return { HOME: folder, at: (name: string) => join(folder, name) };
}

function codeOf(read: () => unknown): string {
  try {
    read();
    return 'accepted';
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    assert.doesNotMatch(error.message + error.hint, /s3cret/);
    return error.code;
  }
}

test('a URL names host, port, database and user; what it leaves out is as in psql', (t) => {
  const { HOME } = home(t);
  const cases: [url: string, host: string, port: number, database: string, place: string][] = [
    ['postgres://shop@127.0.0.1/d', '127.0.0.1', 5432, 'd', 'postgres://127.0.0.1:5432/d'],
    ['postgresql://shop@[::1]:99/d', '::1', 99, 'd', 'postgres://[::1]:99/d'],
    ['postgres://shop@%2Frun%2Fpg/d', '/run/pg', 5432, 'd', 'postgres:///d?host=/run/pg&port=5432'],
    ['postgres://shop@/d?host=/run/pg&port=99', '/run/pg', 99, 'd', 'postgres:///d?host=/run/pg&port=99'],
    ['postgres://localhost?user=shop', 'localhost', 5432, 'shop', 'postgres://localhost:5432/shop'],
    [
      'postgres:///?user=shop',
      '/var/run/postgresql',
      5432,
      'shop',
      'postgres:///shop?host=/var/run/postgresql&port=5432',
    ],
    [
      'postgres://sh%40p@db.shop.example/d',
      'db.shop.example',
      5432,
      'd',
      'postgres://db.shop.example:5432/d',
    ],
  ];
  for (const [url, host, port, database, place] of cases) {
    const target = readTarget({ url }, { HOME });
    assert.deepEqual(
      [target.host, target.port, target.database, target.place],
      [host, port, database, place],
    );
  }
  assert.equal(readTarget({ url: 'postgres://sh%40p@localhost' }, { HOME }).user, 'sh@p');
});

test('what is no URL of a database is refused', (t) => {
  const { HOME } = home(t);
  const wrong = [
    'mysql://localhost/d',
    'postgres:localhost',
    '/var/lib/plastron',
    'postgres://localhost:port/d',
    'postgres://a,b/d',
    'postgres://localhost/d?sslmod=disable',
    'postgres://localhost/%ff',
    'postgres://localhost/a%00b',
  ];
  for (const url of wrong)
    assert.equal(
      codeOf(() => readTarget({ url }, { HOME })),
      'STO0301',
      url,
    );
});

test('a password never comes from the command line (S28)', (t) => {
  const { HOME, at } = home(t, { url: ['postgres://shop:s3cret%20x@localhost/d\n'] });
  for (const url of ['postgres://shop:s3cret@localhost/d', 'postgres://localhost/d?password=s3cret'])
    assert.equal(
      codeOf(() => readTarget({ url }, { HOME })),
      'STO0302',
      url,
    );
  const { password, place } = readTarget({ urlFile: at('url') }, { HOME });
  assert.deepEqual([password, place], ['s3cret x', 'postgres://localhost:5432/d']);
});

test('files that may hold a password are for their user alone (S28)', (t) => {
  const url = 'postgres://shop@localhost/d';
  for (const mode of [0o644, 0o604, 0o660, 0o602]) {
    const { HOME, at } = home(t, { secret: [`${url}\n`, mode], service: ['[s]\npassword=s3cret', mode] });
    const sources: [DatabaseSource, Environment][] = [
      [{ urlFile: at('secret') }, { HOME }],
      [{ url }, { HOME, PGPASSFILE: at('secret') }],
      [{ url: 'postgres:///d?service=s' }, { HOME, PGSERVICEFILE: at('service') }],
    ];
    for (const [source, env] of sources)
      assert.equal(
        codeOf(() => readTarget(source, env)),
        'STO0303',
      );
  }
});

test('a password is found in the password file, by the first line that fits', (t) => {
  const lines = [
    '# other:5432:d:shop:comment',
    'other:5432:d:shop:no',
    'localhost:5432:d:\\*:no',
    'localhost:*:d\\:e:shop:colon',
    'localhost:5432:d:shop:with\\:colon:and\\\\backslash',
    '*:*:*:*:any',
  ];
  const { HOME } = home(t, { '.pgpass': [lines.join('\n')] });
  const passwordFor = (url: string) => readTarget({ url }, { HOME }).password;
  assert.equal(passwordFor('postgres://shop@localhost/d'), 'with:colon:and\\backslash');
  assert.equal(passwordFor('postgres://shop@localhost/d%3Ae'), 'colon');
  assert.equal(passwordFor('postgres://shop@/d?host=/run/pg'), 'with:colon:and\\backslash');
  assert.equal(passwordFor('postgres://shop@127.0.0.1/d'), 'any');
  assert.equal(
    readTarget({ url: 'postgres://shop@localhost/d' }, { HOME: '/nonexistent' }).password,
    undefined,
  );
});

test('a service file says what the URL leaves out', (t) => {
  const text =
    '# ours\n[a]\nhost=no\n\n[shop]\nhost = db.shop.example\nport=99\nuser=shop\npassword=s3cret=\n[b]\nport=1';
  const { HOME, at } = home(t, { service: [text], odd: ['[shop]\nhots=x'] });
  const env = { HOME, PGSERVICEFILE: at('service') };
  const target = readTarget({ url: 'postgres:///d?service=shop' }, env);
  assert.deepEqual(
    [target.host, target.port, target.user, target.password, target.database],
    ['db.shop.example', 99, 'shop', 's3cret=', 'd'],
  );
  assert.equal(
    readTarget({ url: 'postgres://localhost/d' }, { ...env, PGSERVICE: 'shop' }).host,
    'localhost',
  );
  assert.equal(
    codeOf(() => readTarget({ url: 'postgres:///d?service=none' }, env)),
    'STO0304',
  );
  const odd = { HOME, PGSERVICEFILE: at('odd') };
  assert.equal(
    codeOf(() => readTarget({ url: 'postgres:///d?service=shop' }, odd)),
    'STO0304',
  );
  assert.equal(
    codeOf(() => readTarget({ url: 'postgres:///d?service=shop' }, { HOME })),
    'STO0304',
  );
});

test('TLS is verified except on this machine, and no mode does less without a word', (t) => {
  const { HOME, at } = home(t, { ca: ['pem', 0o644] });
  const modeOf = (url: string) => {
    try {
      const { tls } = readTarget({ url }, { HOME });
      if (!tls) return 'plain';
      return tls.checkServerIdentity ? 'authority' : 'full';
    } catch (error) {
      return error instanceof Fault ? error.code : String(error);
    }
  };
  const ca = `sslrootcert=${encodeURIComponent(at('ca'))}`;
  const cases: [string, string][] = [
    ['postgres://db.shop.example/d', 'full'],
    ['postgres://10.0.0.1/d', 'full'],
    ['postgres://localhost.shop.example/d', 'full'],
    ['postgres://127.0.0.1.shop.example/d', 'full'],
    ['postgres://db.shop.example/d?sslmode=disable', 'STO0305'],
    ['postgres://db.shop.example/d?sslmode=require', 'STO0305'],
    ['postgres://db.shop.example/d?sslmode=prefer', 'STO0305'],
    ['postgres://localhost/d?sslmode=prefer', 'STO0305'],
    ['postgres://db.shop.example/d?sslmode=verify-ca', 'STO0306'],
    [`postgres://db.shop.example/d?sslmode=verify-ca&${ca}`, 'authority'],
    [`postgres://db.shop.example/d?${ca}`, 'full'],
    ['postgres://db.shop.example/d?sslrootcert=/nonexistent', 'STO0304'],
    ['postgres://localhost/d', 'plain'],
    ['postgres://127.0.0.9/d', 'plain'],
    ['postgres://[::1]/d', 'plain'],
    ['postgres://localhost/d?sslmode=verify-full', 'full'],
    ['postgres:///d?host=/run/pg', 'plain'],
    ['postgres:///d?host=/run/pg&sslmode=verify-full', 'STO0305'],
  ];
  for (const [url, mode] of cases) assert.equal(modeOf(url), mode, url);
});
