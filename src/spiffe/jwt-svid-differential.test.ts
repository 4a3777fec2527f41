import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import {
  audience,
  curve,
  goodClaims,
  keyOfAlgorithm,
  now,
  pairs,
  seconds,
  tokenOf,
  verify,
  web,
} from '../../test/support/jwt.js';
import { isFault } from '../base/faults/fault.js';

test('a token that was changed anywhere is refused', async () => {
  const token = await tokenOf(goodClaims);
  const property = fc.property(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09-_.'), (at, character) => {
    const changed = token.slice(0, at) + character + token.slice(at + 1);
    if (changed === token) assert.equal(verify(changed).id, web);
    else assert.throws(() => verify(changed), isAnyFault);
  });
  fc.assert(property, { numRuns: 300 });
});

const isAnyFault = (error: unknown) => isFault(error);

/** What another implementation says to the same token, with the same keys and limits. */
async function josesVerdict(token: string): Promise<boolean> {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    const pair = pairs[(kid ?? keyOfAlgorithm[alg ?? ''] ?? '') as keyof typeof pairs];
    if (!pair) return false;
    await jwtVerify(token, pair.publicKey, {
      algorithms: Object.keys(keyOfAlgorithm),
      audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: 10,
      currentDate: new Date(now),
    });
    return true;
  } catch {
    // Errors of many kinds: of its own, of WebCrypto for a key of another curve, of its arguments.
    return false;
  }
}

test('whatever the header and claims: accepted here is accepted by jose, and what only the standard forbids is all that differs', async () => {
  const time = fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: -400, max: 400 }).map((offset) => seconds + offset),
  );
  const header = fc.record({
    alg: fc.constantFrom(...Object.keys(keyOfAlgorithm)),
    kid: fc.constantFrom(undefined, 'own', 'own', 'own', ...Object.keys(pairs), 'unknown'),
    typ: fc.constantFrom(undefined, 'JWT', 'JOSE', 'at+jwt'),
  });
  const claims = fc.record({
    sub: fc.constantFrom(web, web, web, web, undefined, 'web'),
    aud: fc.constantFrom<unknown>(audience, [audience], ['x', audience], 'x', [], undefined),
    exp: fc.oneof(fc.constant(seconds + 300), time),
    nbf: fc.oneof(fc.constant(undefined), time),
    iat: fc.constantFrom(undefined, seconds, seconds - 60),
  });
  let accepted = 0;
  const property = fc.asyncProperty(header, claims, fc.nat(3), async (drawn, body, die) => {
    const own = keyOfAlgorithm[drawn.alg] ?? 'p256';
    const head = { ...drawn, kid: drawn.kid === 'own' ? own : drawn.kid };
    const foreign = die === 0;
    const signer =
      foreign && own !== 'rsa' ? curve({ p256: 'P-256', p384: 'P-384', p521: 'P-521' }[own]) : pairs[own];
    const token = await tokenOf(body, head, signer);
    const ours = accepts(token);
    const theirs = await josesVerdict(token);
    if (ours) accepted++;
    assert.equal(
      ours,
      theirs && head.typ !== 'at+jwt' && body.sub === web,
      `${JSON.stringify([head, body])}`,
    );
  });
  await fc.assert(property, { numRuns: 400 });
  assert.ok(accepted > 5, `only ${accepted} accepted`);
});

function accepts(token: string): boolean {
  try {
    verify(token);
    return true;
  } catch (error) {
    assert.ok(isFault(error), String(error));
    return false;
  }
}
