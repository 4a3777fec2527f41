import type { FaultRow } from './row.js';

export const attestationFaults = {
  ATT0101: {
    sentence: 'the caller has no process id that the agent can see',
    hint: 'run the agent in the PID namespace of the workloads (containers: the PID namespace of the host)',
    status: 'PERMISSION_DENIED',
  },
  ATT0102: {
    sentence: 'the process {pid} ended, or changed its user or its program, while it was attested',
    hint: 'connect again; a program that opens the socket must stay that program',
    status: 'UNAVAILABLE',
  },
  ATT0103: {
    sentence: 'the process {pid} cannot be looked at',
    hint: 'let the agent see all of /proc (no hidepid), as root or as the user of the workloads',
    status: 'UNAVAILABLE',
  },
  ATT0104: {
    sentence: 'the process {pid} runs under another user or group now than when it connected',
    hint: 'connect after changing user, not before',
    status: 'PERMISSION_DENIED',
  },
} as const satisfies Record<`ATT${number}`, FaultRow>;
