import type { FaultRow } from './row.js';

export const registrationFaults = {} as const satisfies Record<`REG${number}`, FaultRow>;
