import type { FaultRow } from './row.js';

export const caFaults = {} as const satisfies Record<`CAS${number}`, FaultRow>;
