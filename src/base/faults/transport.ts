import type { FaultRow } from './row.js';

export const transportFaults = {
  TRN0101: {
    sentence: 'the process at the other end of the socket is in another PID namespace',
    hint: "run the agent in the host's PID namespace, so that it sees every process it serves",
    status: 'UNAUTHENTICATED',
  },
  TRN0102: {
    sentence: 'the process {pid} at the other end of the socket is gone',
    hint: 'connect again',
    status: 'UNAUTHENTICATED',
  },
  TRN0103: {
    sentence: 'the kernel does not say who is at the other end of the socket',
    hint: 'run on Linux, 5.3 or later',
    status: 'UNAUTHENTICATED',
  },
  TRN0104: {
    sentence: 'the socket path `{path}` is {bytes} bytes long, more than {limit}',
    hint: 'choose a shorter path, or one relative to the working directory',
    status: 'INVALID_ARGUMENT',
  },
  TRN0105: {
    sentence: 'the folder `{folder}` is not safe for a socket',
    hint: 'use a folder that belongs to this user or to root and that no one else may write to',
    status: 'FAILED_PRECONDITION',
  },
  TRN0106: {
    sentence: '`{path}` is there already and is not a socket',
    hint: 'choose another path, or move away what lies there',
    status: 'FAILED_PRECONDITION',
  },
  TRN0107: {
    sentence: 'another process listens on the socket `{path}`',
    hint: 'stop the other process, or choose another path',
    status: 'FAILED_PRECONDITION',
  },
  TRN0108: {
    sentence: 'the socket `{path}` cannot be opened: {reason}',
    hint: 'check that this user may write to its folder',
    status: 'FAILED_PRECONDITION',
  },
  TRN0109: {
    sentence: 'the address `{address}` cannot be listened on: {reason}',
    hint: 'stop what else listens there, or choose another address',
    status: 'FAILED_PRECONDITION',
  },
  TRN0110: {
    sentence: 'the processes of uid {uid} have {limit} connections to the socket already',
    hint: 'close connections that are not used; one is enough for any number of streams',
    status: 'RESOURCE_EXHAUSTED',
  },
  TRN0111: {
    sentence: 'the connection that the call came in on is closed',
    hint: 'connect again',
    status: 'UNAVAILABLE',
  },
  TRN0112: {
    sentence: 'there are {limit} connections from `{network}` already whose clients have shown no SVID',
    hint: 'connect again in a moment; where very many agents share one address, let them start one after another',
    status: 'RESOURCE_EXHAUSTED',
  },
  TRN0113: {
    sentence: 'there are {limit} connections already whose clients have shown no SVID',
    hint: 'connect again in a moment; keep the port from those who have no business with it',
    status: 'RESOURCE_EXHAUSTED',
  },
  TRN0201: {
    sentence: 'the caller presented no certificate',
    hint: 'present an X.509-SVID in the TLS handshake',
    status: 'UNAUTHENTICATED',
  },
  TRN0202: {
    sentence: "the caller's trust domain `{trustDomain}` is not known here",
    hint: 'use an SVID of a trust domain whose bundle this server has',
    status: 'UNAUTHENTICATED',
  },
  TRN0203: {
    sentence: 'the certificate that the caller presented is not a valid SVID: {problem}',
    hint: 'present a current X.509-SVID with its intermediates, or no certificate where none is needed',
    status: 'UNAUTHENTICATED',
  },
  TRN0301: {
    sentence: '{method} at `{address}` ended with {status}: {text}',
    hint: 'see what the server says; with UNAVAILABLE, check that it runs at this address',
    status: 'UNAVAILABLE',
  },
  TRN0302: {
    sentence: 'the server at `{address}` is refused: {problem}',
    hint: 'check that this is the address of the right server, and that its trust bundle is the one that was given',
    status: 'UNAVAILABLE',
  },
  TRN0303: {
    sentence: 'there is no gRPC server behind the TLS at `{address}`',
    hint: 'check the address and the port',
    status: 'UNAVAILABLE',
  },
  TRN0401: {
    sentence: 'there was no usable answer from `{origin}`: {problem}',
    hint: 'check the address or the socket, the file of its certificate authority, and that it runs',
    status: 'UNAVAILABLE',
  },
  TRN0402: {
    sentence: 'the message bus at `{path}` gave no usable answer: {problem}',
    hint: 'check that a D-Bus daemon listens there, and that this user may use it',
    status: 'UNAVAILABLE',
  },
  TRN0501: {
    sentence: 'the kernel does not keep the memory of this process private (error {error})',
    hint: 'run on Linux, and let prctl(2) through where system calls are filtered',
    status: 'FAILED_PRECONDITION',
  },
  TRN0601: {
    sentence: 'there is no service `{service}` here',
    hint: 'ask for the health of the process as a whole, with no service name',
    status: 'NOT_FOUND',
  },
} as const satisfies Record<`TRN${number}`, FaultRow>;
