import type { JoinToken } from '../attestation/node/verifier.js';
import type { SpiffeId } from '../spiffe/id.js';
import { integerOf, textOf, type Work } from './unit.js';

/** `now` in milliseconds since the Unix epoch. */
export function* createJoinToken(token: Omit<JoinToken, 'issuedSerial'>, now: number): Work<boolean> {
  yield* deleteExpired(now);
  const rows = yield [
    `insert into join_tokens (hash, expires_at, alias_id, issued_serial) values (?, ?, ?, '')
       on conflict (hash) do nothing returning hash`,
    [token.hash, token.expiresAt, token.aliasId],
  ];
  return rows.length > 0;
}

export function* joinToken(hash: string, now: number): Work<JoinToken | undefined> {
  yield* deleteExpired(now);
  const [row] = yield ['select * from join_tokens where hash = ?', [hash]];
  return (
    row && {
      hash: textOf(row, 'hash'),
      expiresAt: integerOf(row, 'expires_at'),
      aliasId: textOf(row, 'alias_id') as SpiffeId | '',
      issuedSerial: textOf(row, 'issued_serial'),
    }
  );
}

/** Compares and swaps: of any number of attempts that saw the same token, one redeems it. */
export function* redeemJoinToken(seen: JoinToken, serial: string): Work<boolean> {
  const rows = yield [
    'update join_tokens set issued_serial = ? where hash = ? and issued_serial = ? returning hash',
    [serial, seen.hash, seen.issuedSerial],
  ];
  return rows.length > 0;
}

export function* settleJoinToken(serial: string): Work<void> {
  yield ["delete from join_tokens where issued_serial = ? and issued_serial <> ''", [serial]];
}

export function* unsettledSerials(): Work<string[]> {
  const rows = yield ["select issued_serial from join_tokens where issued_serial <> ''", []];
  return rows.map((row) => textOf(row, 'issued_serial'));
}

function* deleteExpired(now: number): Work<void> {
  yield ['delete from join_tokens where expires_at <= ?', [now]];
}
