/** One DER value: `content` without, `whole` with its tag and length. Both are views of the bytes that were read. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** The bytes are not the DER that was expected. Rooms turn it into a fault of their own that says what was being read. */
export class MalformedDer extends Error {
  override readonly name = 'MalformedDer';
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific tags of ITU-T X.680: `[n]` around primitive and around constructed content. */
export const contextPrimitive = (number: number): number => 0x80 | number;
export const contextConstructed = (number: number): number => 0xa0 | number;

/**
 * Reads DER (ITU-T X.690 §10) front to back and takes nothing else: definite minimal lengths, one-byte tags, no bytes left
 * over (`end`). Every method throws `MalformedDer`, never reads outside of its bytes and never recurses.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  nextIs(tag: number): boolean {
    return this.#bytes[this.#at] === tag;
  }

  /** The next value, whatever it is. */
  any(): DerValue {
    const start = this.#at;
    const tag = this.#byte();
    if ((tag & 0x1f) === 0x1f) throw new MalformedDer('a tag of several bytes');
    const length = this.#length();
    const contentStart = this.#at;
    if (length > this.#bytes.length - contentStart) throw new MalformedDer('a value that is cut off');
    this.#at = contentStart + length;
    return {
      tag,
      content: this.#bytes.subarray(contentStart, this.#at),
      whole: this.#bytes.subarray(start, this.#at),
    };
  }

  read(tag: number): DerValue {
    const value = this.any();
    if (value.tag !== tag) throw new MalformedDer(`tag ${hex(value.tag)} where ${hex(tag)} belongs`);
    return value;
  }

  optional(tag: number): DerValue | undefined {
    return this.nextIs(tag) ? this.any() : undefined;
  }

  /** A reader of the content of the next value. */
  enter(tag: number): DerReader {
    return new DerReader(this.read(tag).content);
  }

  end(): void {
    if (!this.isAtEnd) throw new MalformedDer('bytes left over at the end');
  }

  /** An INTEGER of zero or more, as big-endian bytes without leading zeros (zero itself is empty). */
  unsigned(): Uint8Array {
    const { content } = this.read(tags.integer);
    const [first, second] = content;
    if (first === undefined) throw new MalformedDer('an empty integer');
    if (first & 0x80) throw new MalformedDer('a negative integer');
    if (first !== 0) return content;
    if (second !== undefined && !(second & 0x80)) throw new MalformedDer('an integer with needless zeros');
    return content.subarray(1);
  }

  /** An INTEGER from 0 to 65535. */
  small(): number {
    const bytes = this.unsigned();
    if (bytes.length > 2) throw new MalformedDer('an integer that is too large here');
    return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  }

  /** A BOOLEAN, or `false` where it is left out. An explicit FALSE is accepted as many issuers write it. */
  booleanOrFalse(): boolean {
    const value = this.optional(tags.boolean);
    if (!value) return false;
    const [byte] = value.content;
    if (value.content.length !== 1 || (byte !== 0 && byte !== 0xff)) throw new MalformedDer('a bad boolean');
    return byte === 0xff;
  }

  /** A BIT STRING of whole bytes. */
  wholeBytes(): Uint8Array {
    const { content } = this.read(tags.bitString);
    if (content[0] !== 0) throw new MalformedDer('a bit string that is not whole bytes');
    return content.subarray(1);
  }

  /** A BIT STRING of flags: the numbers of the bits that are set (bit 0 is the first). */
  flags(): Set<number> {
    const { content } = this.read(tags.bitString);
    const [unused, ...bytes] = content;
    const last = bytes.at(-1);
    if (unused === undefined || unused > 7) throw new MalformedDer('a bad bit string');
    if (last === undefined ? unused !== 0 : (last & ((1 << unused) - 1)) !== 0) {
      throw new MalformedDer('a bit string whose unused bits are set');
    }
    return new Set(
      bytes.flatMap((byte, index) =>
        [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (0x80 >> bit)).map((bit) => index * 8 + bit),
      ),
    );
  }

  /** An OBJECT IDENTIFIER in dotted form. */
  oid(): string {
    const { content } = this.read(tags.oid);
    const arcs: number[] = [];
    let arc = 0;
    let inside = false;
    for (const byte of content) {
      if (!inside && byte === 0x80) throw new MalformedDer('an object identifier with needless zeros');
      arc = arc * 128 + (byte & 0x7f);
      if (arc > 0xffffffff) throw new MalformedDer('an object identifier that is too large');
      inside = (byte & 0x80) !== 0;
      if (inside) continue;
      arcs.push(arc);
      arc = 0;
    }
    const [first, ...others] = arcs;
    if (inside || first === undefined) throw new MalformedDer('an object identifier that is cut off');
    const top = Math.min(Math.floor(first / 40), 2);
    return [top, first - top * 40, ...others].join('.');
  }

  /** A UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 wants it (seconds, `Z`): milliseconds since the Unix epoch. */
  time(): number {
    const short = this.nextIs(tags.utcTime);
    const { content } = this.read(short ? tags.utcTime : tags.generalizedTime);
    const digits = Buffer.from(content).toString('latin1');
    const match = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
    if (!match || content.length !== (short ? 13 : 15)) throw new MalformedDer('a bad time');
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
    const fullYear = short ? (year < 50 ? 2000 + year : 1900 + year) : year;
    const date = new Date(0);
    date.setUTCFullYear(fullYear, month - 1, day);
    date.setUTCHours(hour, minute, second);
    const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
    if (!same || hour > 23 || minute > 59 || second > 59)
      throw new MalformedDer('a time that does not exist');
    return date.getTime();
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new MalformedDer('a value that is cut off');
    this.#at++;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new MalformedDer('an indefinite or huge length');
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 256 ** (count - 1)) throw new MalformedDer('a length with needless bytes');
    return length;
  }
}

const hex = (tag: number): string => `0x${tag.toString(16).padStart(2, '0')}`;
