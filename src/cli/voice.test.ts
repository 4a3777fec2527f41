import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ColorChoice, createVoice, formatTable } from './voice.js';

function voiceWith(env: Record<string, string>, options: { tty?: boolean; color?: ColorChoice } = {}) {
  const written: string[] = [];
  const sink = { isTTY: options.tty ?? false, write: (text: string) => written.push(text) };
  return { voice: createVoice({ stdout: sink, stderr: sink, env, color: options.color ?? 'auto' }), written };
}

test('colour is for terminals, and NO_COLOR, TERM=dumb, FORCE_COLOR and --color are obeyed', () => {
  const red = '\u001b[31mno\u001b[39m';
  const cases: [Parameters<typeof voiceWith>, string][] = [
    [[{}, { tty: true }], red],
    [[{}, { tty: false }], 'no'],
    [[{ NO_COLOR: '1' }, { tty: true }], 'no'],
    [[{ TERM: 'dumb' }, { tty: true }], 'no'],
    [[{ FORCE_COLOR: '1' }, { tty: false }], red],
    [[{ FORCE_COLOR: '0' }, { tty: true }], 'no'],
    [[{ NO_COLOR: '1' }, { tty: false, color: 'always' }], red],
    [[{}, { tty: true, color: 'never' }], 'no'],
  ];
  for (const [input, expected] of cases) assert.equal(voiceWith(...input).voice.paint('bad', 'no'), expected);
});

test('symbols are ASCII where the locale is not UTF-8', () => {
  assert.equal(voiceWith({ LANG: 'C' }).voice.mark('good'), '+');
  assert.equal(voiceWith({ LANG: 'en_GB.UTF-8' }).voice.mark('good'), '✓');
  assert.equal(voiceWith({}).voice.mark('bad'), '✗');
  assert.equal(voiceWith({ LANG: 'en_GB.UTF-8', LC_ALL: 'POSIX' }).voice.mark('bad'), 'x');
});

test('a table aligns by what the terminal shows and escapes what it is given', () => {
  const rows = [
    ['spiffe://shop.example/web', { text: 'allowed', painted: '\u001b[32mallowed\u001b[39m' }, 'a\u001b[2J'],
    ['名前', 'denied', ''],
  ];
  assert.deepEqual(formatTable(['CALLER', 'ANSWER', 'RULE'], rows), [
    'CALLER                     ANSWER   RULE',
    'spiffe://shop.example/web  \u001b[32mallowed\u001b[39m  a\\u{1b}[2J',
    '名前                       denied',
  ]);
});
