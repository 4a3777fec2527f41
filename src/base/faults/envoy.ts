import type { FaultRow } from './row.js';

export const envoyFaults = {} as const satisfies Record<`ENV${number}`, FaultRow>;
