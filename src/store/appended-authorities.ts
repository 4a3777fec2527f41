import { sha256Hex } from '../base/digest.js';
import type { AppendedAuthorities } from '../server/ports.js';
import type { JwtAuthority, X509Authority } from '../spiffe/bundle.js';
import { contentOf, contentText } from './bundle-content.js';
import { recordEvents } from './positions.js';
import { textOf, type Work } from './unit.js';

export function* appendedAuthorities(): Work<AppendedAuthorities> {
  const rows = yield ['select content from appended_authorities order by name', []];
  const contents = rows.map((row) => contentOf(textOf(row, 'content')));
  return {
    x509Authorities: contents.flatMap(({ x509Authorities }) => x509Authorities),
    jwtAuthorities: contents.flatMap(({ jwtAuthorities }) => jwtAuthorities),
  };
}

/** Adds those that are not there; gives all of them. */
export function* appendAuthorities(added: AppendedAuthorities): Work<AppendedAuthorities> {
  for (const authority of added.x509Authorities) {
    yield* append(`x509:${sha256Hex(authority.der)}`, [authority], []);
  }
  for (const authority of added.jwtAuthorities) yield* append(`jwt:${authority.keyId}`, [], [authority]);
  return yield* appendedAuthorities();
}

function* append(
  name: string,
  x509Authorities: readonly X509Authority[],
  jwtAuthorities: readonly JwtAuthority[],
): Work<void> {
  const content = contentText({ x509Authorities, jwtAuthorities, sequence: 0n, refreshHint: 0 });
  const rows = yield [
    `insert into appended_authorities (name, content) values (?, ?)
       on conflict (name) do nothing returning name`,
    [name, content],
  ];
  if (rows.length > 0) yield* recordEvents('authority', [name]);
}
