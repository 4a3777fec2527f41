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
  CLI0401: {
    sentence: 'the server refused: {problem}',
    hint: '{hint}',
    status: 'FAILED_PRECONDITION',
  },
} as const satisfies Record<`CLI${number}`, FaultRow>;
