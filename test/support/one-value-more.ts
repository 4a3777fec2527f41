import { DerReader } from '../../src/base/der/reader.js';
import { value } from '../../src/base/der/writer.js';

/**
 * Every DER text that is `der` with one NULL more at the end of one of its constructed values, lengths adjusted: what a strict
 * reader must refuse wherever it reads on. `at` names the place by positions from the outside in.
 */
export function oneValueMore(der: Uint8Array, at = ''): { at: string; der: Buffer }[] {
  const { tag, content } = new DerReader(der).any();
  if (!(tag & 0x20)) return [];
  const members: Uint8Array[] = [];
  for (const reader = new DerReader(content); !reader.isAtEnd; ) members.push(reader.any().whole);
  const inside = members.flatMap((member, index) =>
    oneValueMore(member, `${at}/${index}`).map((variant) => ({
      at: variant.at,
      der: value(tag, ...members.with(index, variant.der)),
    })),
  );
  return [{ at: at || '/', der: value(tag, ...members, Buffer.of(0x05, 0x00)) }, ...inside];
}
