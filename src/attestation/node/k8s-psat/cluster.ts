import type { ApiServer } from './kubernetes-api.js';

/** A cluster whose nodes may attest. */
export interface Cluster {
  /** Part of the SPIFFE IDs of its agents. */
  readonly name: string;
  /** `namespace:name`, of the agents' pods. */
  readonly serviceAccounts: ReadonlySet<string>;
  /** A token must be meant for one of them. Never empty. */
  readonly audiences: readonly string[];
  readonly apiServer: ApiServer;
  /** Labels that become selectors. */
  readonly nodeLabels: ReadonlySet<string>;
  readonly podLabels: ReadonlySet<string>;
}
