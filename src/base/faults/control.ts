import type { FaultRow } from './row.js';

export const controlFaults = {} as const satisfies Record<`CTL${number}`, FaultRow>;
