import type { FaultRow } from './row.js';

export const agentFaults = {} as const satisfies Record<`AGT${number}`, FaultRow>;
