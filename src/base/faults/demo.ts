import type { FaultRow } from './row.js';

export const demoFaults = {} as const satisfies Record<`DEM${number}`, FaultRow>;
