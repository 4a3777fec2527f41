import { agentFaults } from './agent.js';
import { attestationFaults } from './attestation.js';
import { caFaults } from './ca.js';
import { cliFaults } from './cli.js';
import { controlFaults } from './control.js';
import { demoFaults } from './demo.js';
import { envoyFaults } from './envoy.js';
import { policyFaults } from './policy.js';
import { registrationFaults } from './registration.js';
import type { FaultRow, StatusName } from './row.js';
import { serverFaults } from './server.js';
import { spiffeFaults } from './spiffe.js';
import { storeFaults } from './store.js';
import { transportFaults } from './transport.js';
import { wireFaults } from './wire.js';
import { workloadApiFaults } from './workload-api.js';
import { xdsFaults } from './xds.js';

export type { StatusName } from './row.js';

/** Every error that Plastron can report, one file a room. A test holds it equal to docs/errors.md, both ways. */
export const faultTable = {
  ...spiffeFaults,
  ...registrationFaults,
  ...policyFaults,
  ...wireFaults,
  ...envoyFaults,
  ...transportFaults,
  ...xdsFaults,
  ...workloadApiFaults,
  ...attestationFaults,
  ...caFaults,
  ...serverFaults,
  ...controlFaults,
  ...agentFaults,
  ...storeFaults,
  ...cliFaults,
  ...demoFaults,
} as const satisfies Record<string, FaultRow>;

export type FaultCode = keyof typeof faultTable;

type Placeholder<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholder<Rest>
  : never;

/** The values that a fault's sentence and hint need, by placeholder. */
export type FaultParams<C extends FaultCode> = Record<
  Placeholder<(typeof faultTable)[C]['sentence']> | Placeholder<(typeof faultTable)[C]['hint']>,
  string | number
>;

export function rowOf(code: FaultCode): { sentence: string; hint: string; status: StatusName } {
  return faultTable[code];
}
