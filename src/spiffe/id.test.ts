import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import {
  parseSpiffeId,
  parseTrustDomain,
  parseWorkloadId,
  pathOf,
  trustDomainId,
  trustDomainOf,
  workloadId,
} from './id.js';

function refuses(parse: (text: string) => unknown, code: FaultCode, ...texts: string[]): void {
  for (const text of texts) {
    assert.throws(
      () => parse(text),
      (error) => isFault(error, code),
      `${JSON.stringify(text)} is not refused with ${code}`,
    );
  }
}

function accepts(...ids: string[]): void {
  for (const id of ids) assert.equal(parseSpiffeId(id), id);
}

const longId = (bytes: number) => `spiffe://td/${'a'.repeat(bytes - 'spiffe://td/'.length)}`;

test('ID-01: any other scheme than spiffe:// is refused, in every spelling', () => {
  const others = [
    'http://td/a',
    'spiffe:td/a',
    'spiffe:/td/a',
    'xspiffe://td/a',
    'spiffe//td/a',
    '//td/a',
    'td/a',
    '',
  ];
  refuses(parseSpiffeId, 'IDN0101', ...others);
  refuses(parseSpiffeId, 'IDN0101', 'SPIFFE://td/a', 'Spiffe://td/a', ' spiffe://td/a', '\nspiffe://td/a');
});

test('ID-02: an empty trust domain is refused', () => {
  refuses(parseSpiffeId, 'IDN0102', 'spiffe://', 'spiffe:///', 'spiffe:///a');
  refuses(parseTrustDomain, 'IDN0102', '');
});

test('ID-03: a query or a fragment is refused, also an empty one', () => {
  refuses(
    parseSpiffeId,
    'IDN0105',
    'spiffe://td/a?x=1',
    'spiffe://td/a?',
    'spiffe://td/a#f',
    'spiffe://td/a#',
  );
  refuses(parseSpiffeId, 'IDN0103', 'spiffe://td?x=1', 'spiffe://td?', 'spiffe://td#f', 'spiffe://td#');
});

test('ID-04: user names, passwords and ports are refused', () => {
  const authorities = ['u@td', 'u:p@td', '@td', 'td:8080', 'td:'];
  refuses(parseTrustDomain, 'IDN0103', ...authorities);
  refuses(parseSpiffeId, 'IDN0103', ...authorities.map((authority) => `spiffe://${authority}/a`));
});

test('ID-05: a trust domain has a-z, 0-9, dot, dash and underscore and nothing else; upper case is not lowered', () => {
  for (let code = 0; code < 0x250; code++) {
    const name = `t${String.fromCodePoint(code)}d`;
    if (/^[a-z0-9._-]+$/.test(name)) assert.equal(parseTrustDomain(name), name);
    else refuses(parseTrustDomain, 'IDN0103', name);
  }
  refuses(parseSpiffeId, 'IDN0103', 'spiffe://TD/a', 'spiffe://tD', 'spiffe://td /a', 'spiffe://td\\a');
});

test('ID-06: percent-encoding and characters beyond ASCII are refused in a trust domain', () => {
  refuses(
    parseTrustDomain,
    'IDN0103',
    '%62%61%64',
    'td%2f',
    'tä',
    'тд',
    'td\u200b',
    'ｔｄ',
    '\u{1f422}',
    'xn--\u00e4',
  );
});

test('ID-06: lone surrogates are refused, in the trust domain and in the path', () => {
  refuses(parseTrustDomain, 'IDN0103', 'td\ud800', '\udc00td');
  refuses(parseSpiffeId, 'IDN0105', 'spiffe://td/a\ud800', 'spiffe://td/\udc00');
});

test('ID-07: names that look like addresses or like no DNS name are names like any other', () => {
  const names = ['1.2.3.4', 'a_b.example', 'example..org', '.example.org', '-x', 'x.', '.', '..', '_', '0'];
  for (const name of names) assert.equal(parseTrustDomain(name), name);
  accepts(...names.map((name) => `spiffe://${name}/a`), ...names.map((name) => `spiffe://${name}`));
  refuses(parseSpiffeId, 'IDN0103', 'spiffe://[::1]/a');
});

test('ID-08: a path segment has letters, digits, dot, dash and underscore and nothing else', () => {
  for (let code = 0; code < 0x250; code++) {
    const character = String.fromCodePoint(code);
    const id = `spiffe://td/a${character}b`;
    if (/^[A-Za-z0-9._/-]$/.test(character)) assert.equal(parseSpiffeId(id), id);
    else refuses(parseSpiffeId, 'IDN0105', id);
  }
  refuses(
    parseSpiffeId,
    'IDN0105',
    'spiffe://td/%41',
    'spiffe://td/a%2fb',
    'spiffe://td/ä',
    'spiffe://td/a b',
  );
});

test('ID-08: what stands at the end counts too: no trailing line break, space or NUL', () => {
  for (const end of ['\n', '\r', '\r\n', ' ', '\t', '\0', '\u2028', '\ufeff']) {
    refuses(parseSpiffeId, 'IDN0105', `spiffe://td/a${end}`);
    refuses(parseSpiffeId, 'IDN0103', `spiffe://td${end}`);
    refuses(parseTrustDomain, 'IDN0103', `td${end}`);
  }
  refuses(parseSpiffeId, 'IDN0105', 'spiffe://td/a\n/b', 'spiffe://td/a\nspiffe://td/b');
});

test('ID-09: empty segments and relative ones are refused; other segments of dots are names', () => {
  refuses(
    parseSpiffeId,
    'IDN0106',
    'spiffe://td/',
    'spiffe://td//',
    'spiffe://td//a',
    'spiffe://td/a/',
    'spiffe://td/a//b',
  );
  refuses(
    parseSpiffeId,
    'IDN0107',
    'spiffe://td/.',
    'spiffe://td/..',
    'spiffe://td/a/../b',
    'spiffe://td/./a',
    'spiffe://td/a/..',
  );
  accepts('spiffe://td/...', 'spiffe://td/.x', 'spiffe://td/..x', 'spiffe://td/x..', 'spiffe://td/....');
});

test('ID-10, ID-11: an ID of exactly 2048 bytes is good, and one of 2049 is not', () => {
  accepts(longId(2048));
  refuses(parseSpiffeId, 'IDN0108', longId(2049), longId(100_000));
});

test('ID-11: the limit counts bytes, not characters', () => {
  const id = `spiffe://td/${'ä'.repeat(1020)}`;
  assert.ok(id.length < 2048 && Buffer.byteLength(id) > 2048);
  refuses(parseSpiffeId, 'IDN0108', id);
});

test('ID-12: a trust domain of exactly 255 bytes is good, and one of 256 is not', () => {
  assert.equal(parseTrustDomain('a'.repeat(255)).length, 255);
  accepts(`spiffe://${'a'.repeat(255)}/a`);
  refuses(parseTrustDomain, 'IDN0104', 'a'.repeat(256));
  refuses(parseSpiffeId, 'IDN0104', `spiffe://${'a'.repeat(256)}/a`);
});

test('ID-13: paths keep their case, and two IDs are the same only when they are written the same', () => {
  assert.notEqual(parseSpiffeId('spiffe://td/a'), parseSpiffeId('spiffe://td/A'));
  accepts('spiffe://td/A', 'spiffe://td/a.B-c_9/Z');
});

test('XS-03: a workload has a path', () => {
  refuses(parseWorkloadId, 'IDN0109', 'spiffe://td');
  refuses(parseWorkloadId, 'IDN0106', 'spiffe://td/');
  assert.equal(parseWorkloadId('spiffe://td/a'), 'spiffe://td/a');
});

test('S1: a path that is put together is held to the same rules', () => {
  const trustDomain = parseTrustDomain('td');
  assert.equal(workloadId(trustDomain, '/a/b'), 'spiffe://td/a/b');
  refuses((path) => workloadId(trustDomain, path), 'IDN0107', '/a/../b');
  refuses((path) => workloadId(trustDomain, path), 'IDN0105', '/%2e%2e', '/a\u2024');
  refuses((path) => workloadId(trustDomain, path), 'IDN0109', '');
  refuses((path) => workloadId(trustDomain, path), 'IDN0103', '@evil/a', ':1/a');
});

/** The grammar of SPIFFE-ID §2 in one expression, written independently of the parser. */
const grammar = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*$/;
const nearlyAnId = fc
  .array(
    fc.constantFrom(
      'a',
      'Z',
      '0',
      '.',
      '..',
      '-',
      '_',
      '/',
      '%2e',
      '?',
      '#',
      '@',
      ':',
      '\n',
      ' ',
      'ä',
      '\ud800',
    ),
  )
  .map((parts) => `spiffe://${parts.join('')}`);

test('ID-01 to ID-09: the parser takes exactly what the grammar allows and gives it back unchanged', () => {
  const property = fc.property(fc.oneof(nearlyAnId, fc.string({ unit: 'binary' })), (text) => {
    if (grammar.test(text)) assert.equal(parseSpiffeId(text), text);
    else assert.throws(() => parseSpiffeId(text), isFault);
  });
  fc.assert(property, { numRuns: 2000 });
});

test('an ID is its trust domain and its path, and nothing else', () => {
  const name = fc.stringMatching(/^[a-z0-9._-]{1,20}$/);
  const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,10}$/).filter((text) => text !== '.' && text !== '..');
  const property = fc.property(name, fc.array(segment, { maxLength: 5 }), (domain, segments) => {
    const path = segments.map((text) => `/${text}`).join('');
    const id = parseSpiffeId(`spiffe://${domain}${path}`);
    assert.equal(trustDomainOf(id), domain);
    assert.equal(pathOf(id), path);
    assert.equal(`${trustDomainId(trustDomainOf(id))}${pathOf(id)}`, id);
  });
  fc.assert(property);
});
