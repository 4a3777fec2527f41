import type { IssuedSvid } from '../../ca/issue-x509-svid.js';
import { encode } from '../../wire/messages.js';
import type { MessageIn } from '../../wire/names.js';
import { okStatus, svidMessage } from './messages.js';

/** What became of one member of a batch. */
export type SvidResult =
  | { readonly svid: IssuedSvid; readonly hint: string }
  | { readonly status: MessageIn<'spire.api.types.Status'> };

/** A `BatchNewX509SVIDResponse`. */
export function encodeSvidResults(results: readonly SvidResult[]): Uint8Array {
  return encode('spire.api.server.svid.v1.BatchNewX509SVIDResponse', {
    results: results.map((result) =>
      'svid' in result ? { status: okStatus, svid: svidMessage(result.svid, result.hint) } : result,
    ),
  });
}
