/** Where in a message the encoder is, for its faults: names of fields, list indexes, map keys. Grows and shrinks as it walks. */
export interface Place {
  readonly steps: (string | number)[];
  /** How many messages lie around this place. */
  depth: number;
}

/** `envoy.config.rbac.v3.RBAC.policies[web].principals[0].header.name` */
export function describePlace({ steps }: Place): string {
  return steps.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join('');
}
