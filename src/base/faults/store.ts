import type { FaultRow } from './row.js';

export const storeFaults = {} as const satisfies Record<`STO${number}`, FaultRow>;
