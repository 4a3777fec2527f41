import type { FaultRow } from './row.js';

export const cliFaults = {
  CLI0101: {
    sentence: 'no error has the code `{code}`',
    hint: 'a code is three letters and four digits, as in IDN0101; docs/errors.md lists them all',
    status: 'INVALID_ARGUMENT',
  },
  CLI0201: {
    sentence: 'the file `{path}` cannot be read: {reason}',
    hint: 'check the name and who may read it; a relative name starts at the working directory',
    status: 'INVALID_ARGUMENT',
  },
  CLI0301: {
    sentence: 'the agent must be told how to trust its server, in exactly one way',
    hint: 'give --trust-bundle FILE, --trust-bundle-sha256 HEX or, where nobody else can answer, --insecure-bootstrap',
    status: 'INVALID_ARGUMENT',
  },
  CLI0302: {
    sentence: 'a certificate to attest with needs its key, and a key its certificate',
    hint: 'give --x509pop-cert and --x509pop-key',
    status: 'INVALID_ARGUMENT',
  },
  CLI0401: {
    sentence: 'the server refused: {problem}',
    hint: '{hint}',
    status: 'FAILED_PRECONDITION',
  },
  CLI0402: {
    sentence: 'the server does not let this caller do that: {problem}',
    hint: "use the server's admin socket as the user that the server runs as, or as root",
    status: 'PERMISSION_DENIED',
  },
  CLI0403: {
    sentence: 'the server does not have this call: {problem}',
    hint: 'a server of another version runs at this socket: use the command line that belongs to it',
    status: 'FAILED_PRECONDITION',
  },
  CLI0404: {
    sentence: 'no server answers at the admin socket `{socket}`: {reason}',
    hint: 'check that `plastron server run` runs with this --admin-socket, and that this user may open it',
    status: 'UNAVAILABLE',
  },
  CLI0405: {
    sentence: 'the server at the admin socket `{socket}` did not answer in time',
    hint: "see the server's log for what keeps it busy, then try again: nothing that it acknowledged is lost",
    status: 'UNAVAILABLE',
  },
  CLI0501: {
    sentence: 'the policy has no caller `{caller}`: {similar}',
    hint: 'name a caller or a service of the policy, or write the SPIFFE ID, as in spiffe://prod.example/web',
    status: 'INVALID_ARGUMENT',
  },
  CLI0502: {
    sentence: 'the policy has no service `{service}`: {similar}',
    hint: 'name a service of the policy, as it stands under `services:`',
    status: 'INVALID_ARGUMENT',
  },
  CLI0503: {
    sentence: '`{caller}` stands for more than one caller',
    hint: 'write the SPIFFE ID of the one that is meant, as in spiffe://prod.example/web',
    status: 'INVALID_ARGUMENT',
  },
  CLI0601: {
    sentence: 'nothing is said about what to change',
    hint: 'give the options for what is to change; `plastron entry update --help` lists them',
    status: 'INVALID_ARGUMENT',
  },
  CLI0602: {
    sentence: 'the folder `{folder}` has no file of entries',
    hint: 'a file of entries has `entries:` at the beginning of a line, and its name ends in .yaml or .yml',
    status: 'INVALID_ARGUMENT',
  },
  CLI0701: {
    sentence: '`{id}` is not in the trust domain `{trustDomain}` of the server',
    hint: 'ask the server of its own trust domain',
    status: 'INVALID_ARGUMENT',
  },
  CLI0801: {
    sentence: 'the file `{path}` is there already',
    hint: 'write into another folder, or give --force to replace it',
    status: 'ALREADY_EXISTS',
  },
  CLI0802: {
    sentence: 'the folder `{folder}` cannot be written to: {reason}',
    hint: 'name a folder that this user may write to, on a disk with room',
    status: 'INVALID_ARGUMENT',
  },
  CLI0803: {
    sentence: 'a backup has keys in it and is nothing for a terminal',
    hint: 'name a file with --out FILE, or send it on to a program that encrypts it',
    status: 'INVALID_ARGUMENT',
  },
  CLI0804: {
    sentence: 'the backup cannot be written to `{path}`: {reason}',
    hint: 'name a file in a folder that this user may write to, on a disk that has room for all of it',
    status: 'INVALID_ARGUMENT',
  },
} as const satisfies Record<`CLI${number}`, FaultRow>;
