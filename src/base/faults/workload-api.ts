import type { FaultRow } from './row.js';

export const workloadApiFaults = {
  WLA0101: {
    sentence: 'the security header of the Workload API is missing from the request, or is not exactly `true`',
    hint: 'send the metadata workload.spiffe.io: true, once, as every SPIFFE library does; a request that cannot is none of a workload',
    status: 'INVALID_ARGUMENT',
  },
  WLA0201: {
    sentence: 'no identity issued',
    hint: 'no registration entry matches this process; on this node `plastron why --pid {pid}` says what is missing',
    status: 'PERMISSION_DENIED',
  },
  WLA0202: {
    sentence: 'no identity issued for `{id}`',
    hint: 'ask for an identity of this process, or for none in particular; on this node `plastron why --pid {pid}` says which it has',
    status: 'PERMISSION_DENIED',
  },
  WLA0203: {
    sentence: 'the agent does not know yet who may have which identity',
    hint: 'try again in a moment: it has not heard from its server since it started, or the server does not take it any more',
    status: 'UNAVAILABLE',
  },
  WLA0204: {
    sentence: 'the agent has no SVID for `{id}` right now',
    hint: 'try again in a moment: the server is asked to sign it',
    status: 'UNAVAILABLE',
  },
  WLA0301: {
    sentence: 'the request says no {field}',
    hint: 'name every audience of the token, none of them empty; to validate, send the token too',
    status: 'INVALID_ARGUMENT',
  },
  WLA0401: {
    sentence: 'the agent issues no WIT-SVIDs',
    hint: 'use X.509-SVIDs or JWT-SVIDs',
    status: 'UNIMPLEMENTED',
  },
  WLA0501: {
    sentence: 'the address `{address}` of a Workload API cannot be used: {problem}',
    hint: 'write unix:///path/to/the.sock, or tcp://127.0.0.1:port',
    status: 'INVALID_ARGUMENT',
  },
  WLA0502: {
    sentence: 'it is not known where the Workload API is',
    hint: 'set SPIFFE_ENDPOINT_SOCKET, as in unix:///run/plastron/agent.sock',
    status: 'INVALID_ARGUMENT',
  },
  WLA0503: {
    sentence: 'the answer of the Workload API is not usable: {problem}',
    hint: 'what was given before stays in use; look at the agent that serves this socket',
    status: 'FAILED_PRECONDITION',
  },
} as const satisfies Record<`WLA${number}`, FaultRow>;
