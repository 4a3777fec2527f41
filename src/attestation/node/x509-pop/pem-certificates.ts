import type { Fault } from '../../../base/faults/fault.js';
import { MalformedPem, readPem } from '../../../base/pem.js';

/** The certificates of a PEM text, DER, at least one; throws what `refuse` makes of what is wrong with it. */
export function certificatesOf(pem: string, refuse: (problem: string) => Fault): Uint8Array[] {
  let blocks: ReturnType<typeof readPem>;
  try {
    blocks = readPem(pem);
  } catch (error) {
    if (error instanceof MalformedPem) throw refuse(`it has ${error.message}`);
    throw error;
  }
  if (blocks.length === 0) throw refuse('there is no certificate in it');
  const other = blocks.find(({ label }) => label !== 'CERTIFICATE');
  if (other) throw refuse(`it has a block \`${other.label}\``);
  return blocks.map(({ der }) => der);
}
