import { type Fault, fault } from '../base/faults/fault.js';

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
  const open = new Map<string, number>();
  let all = 0;
  const refusal = (network: string): Fault | undefined => {
    if (all >= total) return fault('TRN0113', { limit: total });
    return (open.get(network) ?? 0) >= perNetwork
      ? fault('TRN0112', { network, limit: perNetwork })
      : undefined;
  };
  return {
    admit: (network) => {
      const refused = refusal(network);
      if (refused) throw refused;
      open.set(network, (open.get(network) ?? 0) + 1);
      all++;
      let counted = true;
      return () => {
        if (!counted) return;
        counted = false;
        all--;
        const left = (open.get(network) ?? 1) - 1;
        if (left === 0) open.delete(network);
        else open.set(network, left);
      };
    },
  };
}
