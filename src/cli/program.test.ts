import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { transcript } from '../../test/support/transcript.js';
import { exitCodes } from './cli.js';

test('without a command there is help, and an unknown command or option is a usage error with a suggestion', async (t) => {
  const help = await transcript(t, {}, ['', '--help', 'help']);
  assert.match(help, /Usage: plastron \[options\] \[command\]/);
  assert.equal(help.match(/exit 0/g)?.length, 3);
  assert.equal(
    await transcript(t, {}, ['explian IDN0101', 'explain --cool IDN0101', 'explain']),
    `$ plastron explian IDN0101
err| error: unknown command 'explian'
err| (Did you mean explain?)
err|   = help: add --help for options and examples
exit 2

$ plastron explain --cool IDN0101
err| error: unknown option '--cool'
err| (Did you mean --color?)
err|   = help: add --help for options and examples
exit 2

$ plastron explain
err| error: missing required argument 'code'
err|   = help: add --help for options and examples
exit 2
`,
  );
});

test('explain prints the section of a code', async (t) => {
  const shown = await transcript(t, {}, ['explain idn0102', 'explain nope']);
  assert.equal(
    shown,
    `$ plastron explain idn0102
IDN0102

> the trust domain in \`{id}\` is empty

Without a trust domain nobody could say whose keys vouch for the identity (SPIFFE-ID §2.1).

Way out: put the name of the trust domain after spiffe://, as in spiffe://prod.example/web

Status: INVALID_ARGUMENT
exit 0

$ plastron explain nope
err| error[CLI0101]: no error has the code \`nope\`
err|   = help: a code is three letters and four digits, as in IDN0101; docs/errors.md lists them all
err|   = more: run \`plastron explain CLI0101\`
exit 2
`,
  );
});

test('a hostile argument is escaped before it reaches the terminal', async (t) => {
  const shown = await transcript(t, {}, ["'\u001b[2J'"]);
  assert.equal(
    shown,
    "$ plastron '\u001b[2J'\nerr| error: unknown command '\\u{1b}[2J'\nerr|   = help: add --help for options and examples\nexit 2\n",
  );
});

test('the installed program runs and says its version', () => {
  const main = fileURLToPath(new URL('main.js', import.meta.url));
  const { stdout, status } = spawnSync(process.execPath, [main, '--version'], { encoding: 'utf8' });
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(status, 0);
});

test('a reader that has gone is no error', () => {
  const main = fileURLToPath(new URL('main.js', import.meta.url));
  const script = `(sleep 0.5; "$0" "$1" explain IDN0102; echo "exit $?" >&2) | exec true`;
  const { stderr } = spawnSync('sh', ['-c', script, process.execPath, main], { encoding: 'utf8' });
  assert.equal(stderr, 'exit 0\n');
});

test('an option is taken from its twin in the environment, and checked there too', async (t) => {
  const withColor = (color: string, line = 'explain IDN0101') =>
    transcript(t, {}, [line], { PLASTRON_COLOR: color });
  assert.ok((await withColor('always')).includes('\u001b[1mIDN0101'));
  assert.ok((await withColor('never')).includes('\nIDN0101\n'));
  assert.ok((await withColor('always', 'explain IDN0101 --color never')).includes('\nIDN0101\n'));
  assert.equal(
    await withColor('sometimes'),
    `$ plastron explain IDN0101
err| error: \`sometimes\` in PLASTRON_COLOR is no value for --color <when>: Allowed choices are auto, always, never.
err|   = help: add --help for options and examples
exit 2
`,
  );
});

test('every exit code is explained in docs/reference/exit-codes.md, and no other', () => {
  const page = readFileSync(new URL('../../../docs/reference/exit-codes.md', import.meta.url), 'utf8');
  const explained = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(explained, Object.values(exitCodes));
});
