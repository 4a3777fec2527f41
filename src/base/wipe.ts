/**
 * Has bytes overwritten with zeros once nobody holds them any more, and gives them back. For private keys: what is replaced does
 * not stay readable in memory until something else happens to need the place. Whoever keeps them keeps this very array, or a copy
 * of the bytes, never another view of the same memory. Copies that Node makes on the way to a socket are not reached.
 */
export function wipeWhenUnused<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  unused.register(bytes, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return bytes;
}

const unused = new FinalizationRegistry<Uint8Array>((memory) => memory.fill(0));
