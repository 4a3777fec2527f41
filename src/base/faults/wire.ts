import type { FaultRow } from './row.js';

export const wireFaults = {} as const satisfies Record<`WIR${number}`, FaultRow>;
