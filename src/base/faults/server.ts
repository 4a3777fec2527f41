import type { FaultRow } from './row.js';

export const serverFaults = {} as const satisfies Record<`SRV${number}`, FaultRow>;
