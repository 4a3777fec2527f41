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
  CLI0401: {
    sentence: 'the server refused: {problem}',
    hint: '{hint}',
    status: 'FAILED_PRECONDITION',
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
} as const satisfies Record<`CLI${number}`, FaultRow>;
