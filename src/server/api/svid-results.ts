import { setImmediate } from 'node:timers/promises';
import type { IssuedSvid } from '../../ca/issue-x509-svid.js';
import { encode } from '../../wire/messages.js';
import type { MessageIn } from '../../wire/names.js';
import { okStatus, svidMessage } from './messages.js';

/** What became of one member of a batch. */
export type SvidResult =
  | { readonly svid: IssuedSvid; readonly hint: string }
  | { readonly status: MessageIn<'spire.api.types.Status'> };

/** So many are encoded at a stretch: about a millisecond. */
const atATime = 50;

/**
 * A `BatchNewX509SVIDResponse`, others taking turns: the parts of a repeated field, one after another, are the whole of it.
 */
export async function encodeSvidResults(results: readonly SvidResult[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < results.length; at += atATime) {
    if (at > 0) await setImmediate();
    parts.push(encodePart(results.slice(at, at + atATime)));
  }
  return Buffer.concat(parts);
}

function encodePart(results: readonly SvidResult[]): Uint8Array {
  return encode('spire.api.server.svid.v1.BatchNewX509SVIDResponse', {
    results: results.map((result) =>
      'svid' in result ? { status: okStatus, svid: svidMessage(result.svid, result.hint) } : result,
    ),
  });
}
