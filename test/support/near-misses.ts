import fc from 'fast-check';
import type { Diagram } from '../../src/policy/diagram/diagram.js';
import { leavesOf } from '../../src/policy/diagram/leaves.js';

export interface NearCall {
  readonly caller: string;
  /** The URI SANs of the caller's certificate. */
  readonly names: readonly string[];
  readonly method: string;
  /** With its query. */
  readonly path: string;
}

/**
 * A witness of every leaf (of at most `most`, picked by chance), and what lies right beside it: random requests let a compiler
 * pass that forgets the case of a denied path, or lets a star cross a slash.
 */
export function nearCalls(diagram: Diagram, at: number, most: number, seed: number): NearCall[] {
  const { leaves, complete } = leavesOf(diagram, at);
  if (!complete) throw new Error('too many leaves for a test');
  const picked =
    leaves.length <= most
      ? leaves
      : (fc.sample(fc.shuffledSubarray([...leaves], { minLength: most, maxLength: most }), {
          numRuns: 1,
          seed,
        })[0] ?? []);
  return picked.flatMap(({ call: { caller, method, path } }) => [
    ...[path, ...pathsNear(path)].map((near) => ({ caller, names: [caller], method, path: near })),
    ...methodsNear(method).map((near) => ({ caller, names: [caller], method: near, path })),
    ...callersNear(caller).map((near) => ({ caller: near, names: [near], method, path })),
    ...namesNear(caller).map((names) => ({ caller, names, method, path })),
  ]);
}

function pathsNear(path: string): string[] {
  return [
    `${path}?q=/a/b&c`,
    `${path}/`,
    `${path}x`,
    `${path};x`,
    `${path}/x`,
    `${path}%20`,
    `${path}.`,
    `${path}%25`,
    path.slice(0, -1),
    swapCase(path),
    path.replace('/', '/x'),
    path.replace(/[.]/g, 'x'),
    path.replaceAll('@', '%40'),
    path.replaceAll('+', '%2b'),
    path.replace(/(.)\//, '$1/x/'),
  ].filter((near) => near !== path && near.startsWith('/'));
}

function methodsNear(method: string): string[] {
  return ['PLASTRON', 'HEAD', 'POST', 'GET'].filter((near) => near !== method);
}

function callersNear(caller: string): string[] {
  return [
    `${caller}x`,
    `${caller}/x`,
    caller.replace(/\/[^/]+$/, ''),
    swapCase(caller).replace(/^[^/]*\/\/[^/]*/, caller.replace(/^([^/]*\/\/[^/]*).*/, '$1')),
    caller.replace('.example', 'xexample'),
    caller.replace('one.', 'two.'),
    caller.replace(/\.(?!example)/, 'x'),
  ].filter((near) => near !== caller && near.split('/').length > 3);
}

/** Certificates that no authority should have signed. */
function namesNear(caller: string): string[][] {
  const other = caller.replace(/[^/]*$/, 'other');
  return [[caller, other], [other, caller], [`${caller},${other}`]];
}

function swapCase(text: string): string {
  return text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
}
