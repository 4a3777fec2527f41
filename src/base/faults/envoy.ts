import type { FaultRow } from './row.js';

export const envoyFaults = {
  ENV0501: {
    sentence: 'the bootstrap needs a value for `{name}` ({place})',
    hint: 'give one with --set {name}=VALUE',
    status: 'INVALID_ARGUMENT',
  },
  ENV0502: {
    sentence: 'the bootstrap `{file}` has no variable `{name}`',
    hint: 'leave it out or correct its name; the variables are: {known}',
    status: 'INVALID_ARGUMENT',
  },
  ENV0503: {
    sentence: 'the value of `{name}` is empty or has a line break or another character that cannot be seen',
    hint: 'give a path, a port or an address on one line',
    status: 'INVALID_ARGUMENT',
  },
  ENV0504: {
    sentence: 'the bootstrap has a placeholder that is not written as one ({place})',
    hint: 'write the name in double braces, and these alone in single quotes; a name has only A-Z, 0-9 and underscore',
    status: 'INVALID_ARGUMENT',
  },
} as const satisfies Record<`ENV${number}`, FaultRow>;
