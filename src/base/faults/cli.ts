import type { FaultRow } from './row.js';

export const cliFaults = {} as const satisfies Record<`CLI${number}`, FaultRow>;
