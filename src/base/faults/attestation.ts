import type { FaultRow } from './row.js';

export const attestationFaults = {} as const satisfies Record<`ATT${number}`, FaultRow>;
