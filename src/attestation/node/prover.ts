/**
 * The agent's half of a node attestation method: what it shows the server in AttestAgent, over a connection without client
 * certificate. Made anew for every attempt, since evidence may be good only once.
 */
export interface NodeProver {
  /** The name of the method, as SPIRE calls it: `join_token`. */
  readonly type: string;
  /** The `payload` of the first message. */
  readonly payload: Uint8Array;
  /** Answers a challenge of the server. Throws for a method that knows no challenges. */
  answer(challenge: Uint8Array): Promise<Uint8Array>;
}
