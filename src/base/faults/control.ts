import type { FaultRow } from './row.js';

export const controlFaults = {
  CTL0101: {
    sentence: '`{path}` cannot be read: {reason}',
    hint: 'give the policy folder by --policy, and let the user that runs plastron read it and everything in it',
    status: 'INVALID_ARGUMENT',
  },
  CTL0102: {
    sentence: 'the policy folder `{folder}` has no policy file',
    hint: 'put a file that ends in .yaml or .yml into it; to allow nothing, one that says only `version: 1`',
    status: 'INVALID_ARGUMENT',
  },
  CTL0103: {
    sentence: 'the policy folder `{folder}` is too large: {problem}',
    hint: 'keep nothing but policy files in it',
    status: 'INVALID_ARGUMENT',
  },
  CTL0104: {
    sentence: '`{path}` in the policy folder {problem}',
    hint: 'keep nothing but policy files in the folder, as text in UTF-8',
    status: 'INVALID_ARGUMENT',
  },
  CTL0105: {
    sentence: 'the policy folder `{folder}` has not settled for {seconds} seconds',
    hint: 'look for a program that keeps a policy file open for writing, and for a link that leads nowhere',
    status: 'FAILED_PRECONDITION',
  },
  CTL0201: {
    sentence: 'the policy in `{folder}` is refused: {count}, the first {code} at {place}: {message}',
    hint: 'run `plastron policy check` on the folder; the policy that was in force stays in force',
    status: 'FAILED_PRECONDITION',
  },
  CTL0202: {
    sentence: 'the policy in `{folder}` is refused: it cannot be worked out, which is a mistake in plastron',
    hint: 'undo the last change, and report what the log says beside this',
    status: 'INTERNAL',
  },
} as const satisfies Record<`CTL${number}`, FaultRow>;
