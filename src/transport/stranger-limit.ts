import { fault } from '../base/faults/fault.js';
import { tally } from './tally.js';

/** How many connections there may be whose client is not known (yet): still shaking hands, or without an SVID that counts. */
export interface StrangerLimits {
  /** From one IPv4 address, or one /64 of IPv6. */
  readonly perNetwork: number;
  readonly total: number;
}

export interface StrangerLimit {
  /** Counts a connection until the function that it gives is called; throws TRN0112 or TRN0113 where there are enough. */
  admit(network: string): () => void;
}

export function strangerLimit({ perNetwork, total }: StrangerLimits): StrangerLimit {
  const open = tally<string>();
  return {
    admit(network) {
      if (open.total() >= total) throw fault('TRN0113', { limit: total });
      if (open.of(network) >= perNetwork) throw fault('TRN0112', { network, limit: perNetwork });
      return open.add(network);
    },
  };
}
