import type { FaultRow } from './row.js';

export const xdsFaults = {} as const satisfies Record<`XDS${number}`, FaultRow>;
