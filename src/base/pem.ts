/** One block of a PEM text (RFC 7468): its label, as in `CERTIFICATE`, and its bytes. */
export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
}

/** The text is not PEM. Rooms turn it into a fault of their own that says what was being read. */
export class MalformedPem extends Error {
  override readonly name = 'MalformedPem';
}

/** Writes a PEM block: lines of 64 characters, a line break at the end. */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `${[`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join('\n')}\n`;
}

/** The same as bytes, for private keys: a text cannot be overwritten, and would stay in memory as long as it likes. */
export function toPemBytes(label: string, der: Uint8Array): Buffer {
  const [begin, end] = [`-----BEGIN ${label}-----\n`, `-----END ${label}-----\n`];
  const base64Length = 4 * Math.ceil(der.length / 3);
  const pem = Buffer.alloc(begin.length + base64Length + Math.ceil(base64Length / 64) + end.length);
  let at = pem.write(begin, 'latin1');
  for (let from = 0; from < der.length; from += 3) {
    const [one = 0, two, three] = der.subarray(from, from + 3);
    const group = (one << 16) | ((two ?? 0) << 8) | (three ?? 0);
    pem[at++] = base64.charCodeAt(group >> 18);
    pem[at++] = base64.charCodeAt((group >> 12) & 63);
    pem[at++] = two === undefined ? padding : base64.charCodeAt((group >> 6) & 63);
    pem[at++] = three === undefined ? padding : base64.charCodeAt(group & 63);
    if (from % 48 === 45 || from + 3 >= der.length) pem[at++] = lineBreak;
  }
  pem.write(end, at, 'latin1');
  return pem;
}

const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const padding = 0x3d;
const lineBreak = 0x0a;

/**
 * Reads every block of a PEM text. Text between blocks is passed over, as RFC 7468 §2 allows; a block that is broken, or a
 * stray BEGIN or END line, is not. Throws `MalformedPem`.
 */
export function readPem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { label: string; base64: string } | undefined;
  for (const line of text.split(/\r?\n/)) {
    const boundary = /^-----(BEGIN|END) ([A-Z0-9 ]+)-----\s*$/.exec(line);
    if (!boundary) {
      if (open) open.base64 += line.trim();
      else if (line.includes('-----')) throw new MalformedPem('a boundary line that is not one');
      continue;
    }
    const [, kind, label = ''] = boundary;
    if (kind === 'BEGIN') {
      if (open) throw new MalformedPem(`a block \`${open.label}\` without an end`);
      open = { label, base64: '' };
    } else {
      if (open?.label !== label) throw new MalformedPem(`an end of \`${label}\` without its beginning`);
      blocks.push({ label, der: fromBase64(open.base64) });
      open = undefined;
    }
  }
  if (open) throw new MalformedPem(`a block \`${open.label}\` without an end`);
  return blocks;
}

function fromBase64(base64: string): Uint8Array {
  const der = Buffer.from(base64, 'base64');
  // Buffer skips whatever is not base64; comparing back refuses it.
  if (der.length === 0 || der.toString('base64') !== base64)
    throw new MalformedPem('a block that is not base64');
  return der;
}
