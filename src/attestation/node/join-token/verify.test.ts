import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../../../base/faults/fault.js';
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.js';
import type { JoinToken } from '../verifier.js';
import { joinTokenProver } from './prove.js';
import { checkJoinToken, joinTokenHash, newJoinToken } from './token.js';
import { joinTokenVerifier } from './verify.js';

const trustDomain = parseTrustDomain('shop.example');
const noChallenge = () => Promise.reject(new Error('a join token has no challenge'));

function verifierOf(...known: JoinToken[]) {
  const asked: string[] = [];
  const tokens = {
    joinToken: async (hash: string) => {
      asked.push(hash);
      return known.find((token) => token.hash === hash);
    },
  };
  return { verifier: joinTokenVerifier(tokens, trustDomain, { now: () => 1000 }), asked };
}

const kept = (token: string, expiresAt = 2000): JoinToken => ({
  hash: joinTokenHash(token),
  expiresAt,
  aliasId: '',
  issuedSerial: '',
});

test('what our agent shows is what our server accepts, and the token is the end of the agent’s ID', async () => {
  const token = newJoinToken();
  const { verifier } = verifierOf(kept(token));
  const agent = await verifier.verify(joinTokenProver(token).payload, noChallenge);
  assert.deepEqual(agent, {
    id: `spiffe://shop.example/spire/agent/join_token/${token}`,
    selectors: [],
    canReattest: false,
    joinToken: kept(token),
  });
});

test('a token is refused at the moment that it expires (S11)', async () => {
  const token = newJoinToken();
  const { verifier } = verifierOf(kept(token, 1000));
  await assert.rejects(verifier.verify(Buffer.from(token), noChallenge), (error) =>
    isFault(error, 'ATT0201'),
  );
});

test('whatever is shown is refused or gives the ID of an agent of this trust domain, never another ID (S2)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array(),
        fc.string().map((text) => Buffer.from(text)),
      ),
      async (payload) => {
        // A store that would find anything.
        const any = { joinToken: async (hash: string) => ({ ...kept('x'), hash }) };
        const verifier = joinTokenVerifier(any, trustDomain, { now: () => 0 });
        try {
          const { id } = await verifier.verify(payload, noChallenge);
          assert.equal(parseSpiffeId(id), id);
          assert.match(id, /^spiffe:\/\/shop\.example\/spire\/agent\/join_token\/[A-Za-z0-9_-]{22,255}$/);
        } catch (error) {
          assert.ok(isFault(error, 'ATT0201'), String(error));
        }
      },
    ),
  );
});

test('the store is asked for a hash, and not at all for what cannot be a token', async () => {
  const { verifier, asked } = verifierOf();
  const token = newJoinToken();
  await assert.rejects(verifier.verify(Buffer.from(token), noChallenge));
  await assert.rejects(verifier.verify(Buffer.from('../../server'), noChallenge));
  assert.deepEqual(asked, [joinTokenHash(token)]);
  assert.ok(!asked.join().includes(token));
});

test('tokens that the server makes are never the same and pass its own rules', () => {
  const tokens = Array.from({ length: 100 }, () => checkJoinToken(newJoinToken()));
  assert.equal(new Set(tokens).size, tokens.length);
  for (const bad of ['', 'short', 'a b'.repeat(10), `${'a'.repeat(22)}\n`, '.'.repeat(30), 'a'.repeat(256)]) {
    assert.throws(
      () => checkJoinToken(bad),
      (error) => isFault(error, 'ATT0203'),
    );
  }
});
