import type { FaultRow } from './row.js';

export const policyFaults = {} as const satisfies Record<`POL${number}`, FaultRow>;
