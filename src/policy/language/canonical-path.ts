/** A path in the form in which Envoy matches and forwards it, and what had to change, `` for nothing. */
export interface CanonicalPath {
  readonly path: string;
  readonly change: string;
}

/**
 * What an Envoy with `normalize_path`, `merge_slashes` and `path_with_escaped_slashes_action: REJECT_REQUEST` makes of a path
 * (seen on 1.40, every byte raw and escaped), with the query cut off; or why it answers 400.
 */
export function canonicalPath(text: string): CanonicalPath | { reason: string } {
  const changes: string[] = [];
  const step = (from: string, change: string, to: string) => {
    if (from !== to) changes.push(change);
    return to;
  };
  let path = step(text, 'a path has no query and no fragment', text.replace(/[?#].*$/s, ''));
  if (!path.startsWith('/')) path = step(path, 'a path starts with `/`', `/${path}`);
  path = step(path, 'Envoy turns `\\` into `/`', path.replaceAll('\\', '/'));
  path = step(path, 'Envoy sees these characters percent-encoded', encode(path));
  const bad = /%(?:[01][0-9A-F]|7F|2F|5C|(?![0-9A-F]{2}))/i.exec(path);
  if (bad) return { reason: `\`${bad[0]}\` is answered 400 by Envoy, or sent by no honest client` };
  path = step(path, 'letters, digits, `-`, `.`, `_` and `~` are not percent-encoded', decodeUnreserved(path));
  path = step(
    path,
    'percent-encodings are written with capitals',
    path.replace(/%[0-9a-f]{2}/gi, (e) => e.toUpperCase()),
  );
  path = step(path, 'Envoy merges slashes and resolves `.` and `..`', resolveDots(path));
  return { path, change: changes[0] ?? '' };
}

/** What a path can hold as it is: RFC 3986's pchar, the percent sign, and square brackets, which Envoy lets pass. */
const rawCharacters = /[^A-Za-z0-9\-._~!$&'()*+,;=:@[\]%/]+/gu;

function encode(path: string): string {
  return path.replace(rawCharacters, (run) =>
    [...Buffer.from(run)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function decodeUnreserved(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : encoded;
  });
}

/** Envoy takes `..;x` for `..` (its answer to servers that cut path parameters off before they resolve). */
function resolveDots(path: string): string {
  const kept: string[] = [];
  const parts = path.split('/').slice(1);
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const dots = /^(\.\.?)(?:;.*)?$/.exec(part)?.[1];
    if (dots === '..') kept.pop();
    if (dots === undefined && (part !== '' || last)) kept.push(part);
    else if (last) kept.push('');
  }
  return `/${kept.join('/')}`;
}
