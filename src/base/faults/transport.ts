import type { FaultRow } from './row.js';

export const transportFaults = {} as const satisfies Record<`TRN${number}`, FaultRow>;
