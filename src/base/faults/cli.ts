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
} as const satisfies Record<`CLI${number}`, FaultRow>;
