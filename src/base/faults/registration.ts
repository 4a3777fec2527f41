import type { FaultRow } from './row.js';

export const registrationFaults = {
  REG0101: {
    sentence: '`{selector}` is not a selector',
    hint: 'write the type, a colon and the value, as in unix:uid:1000',
    status: 'INVALID_ARGUMENT',
  },
  REG0102: {
    sentence: 'a selector is {bytes} bytes long, more than {max}',
    hint: 'use a shorter value, such as the SHA-256 of a program in place of its path',
    status: 'INVALID_ARGUMENT',
  },
  REG0103: {
    sentence: 'the selector `{selector}` has a control character or half a character',
    hint: 'write the value as plain text; a program whose path has such characters can be named by its SHA-256',
    status: 'INVALID_ARGUMENT',
  },
  REG0201: {
    sentence: '`{id}` is not in the trust domain `{trustDomain}`',
    hint: 'an entry and its parent are in the trust domain of the server: start the ID with spiffe://{trustDomain}/',
    status: 'INVALID_ARGUMENT',
  },
  REG0202: {
    sentence: '`{id}` cannot be given to a workload: /spire is reserved',
    hint: 'choose a path that does not start with /spire, as in spiffe://prod.example/web',
    status: 'INVALID_ARGUMENT',
  },
  REG0203: {
    sentence: 'an entry without selectors would match every workload',
    hint: 'name at least one selector, as in unix:uid:1000',
    status: 'INVALID_ARGUMENT',
  },
  REG0204: {
    sentence: '`{seconds}` is not a lifetime in seconds',
    hint: 'give a whole number of seconds, or 0 for the default of the server',
    status: 'INVALID_ARGUMENT',
  },
  REG0205: {
    sentence: '`{name}` is not a DNS name',
    hint: 'use lower-case labels of a-z, 0-9 and dash, at most 63 characters each and 253 in all; a wildcard is the whole first label',
    status: 'INVALID_ARGUMENT',
  },
  REG0206: {
    sentence: 'the hint is {length} bytes long, more than {max}',
    hint: 'a hint is a word for the workload to choose by, such as internal: make it shorter',
    status: 'INVALID_ARGUMENT',
  },
  REG0207: {
    sentence: '`{id}` cannot be the ID of an entry',
    hint: 'use 1 to 255 characters of a-z, A-Z, 0-9, dot, dash and underscore, or leave the ID to the server',
    status: 'INVALID_ARGUMENT',
  },
  REG0208: {
    sentence: 'an entry cannot federate with its own trust domain `{trustDomain}`',
    hint: 'leave it out: every workload has the bundle of its own trust domain',
    status: 'INVALID_ARGUMENT',
  },
  REG0209: {
    sentence: '`{seconds}` is not a time in seconds since the Unix epoch',
    hint: 'give the seconds since 1970-01-01T00:00:00Z, or 0 for an entry that does not expire',
    status: 'INVALID_ARGUMENT',
  },
  REG0210: {
    sentence: 'the hint `{hint}` has a control character or half a character',
    hint: 'a hint is a word for the workload to choose by, such as internal: write it as plain text',
    status: 'INVALID_ARGUMENT',
  },
  REG0211: {
    sentence: 'an entry cannot be the default identity and have the hint `{hint}`',
    hint: 'leave one of them out: the default identity is the one whose hint is `default`',
    status: 'INVALID_ARGUMENT',
  },
  REG0212: {
    sentence: '`{owner}` cannot be the owner of entries',
    hint: 'use 1 to 32 characters of a-z, 0-9 and dash, as in shop-team',
    status: 'INVALID_ARGUMENT',
  },
  REG0213: {
    sentence: 'an entry whose SVID is stored has selectors of several types: {types}',
    hint: 'use selectors of one type, which is that of the store, or make an entry for each store',
    status: 'INVALID_ARGUMENT',
  },
  REG0301: {
    sentence: '`{version}` is not a version of the entries file that this program reads',
    hint: 'write `version: 1`',
    status: 'INVALID_ARGUMENT',
  },
  REG0302: {
    sentence:
      'the same entry stands twice: it has the same name, or the same SPIFFE ID, parent and selectors',
    hint: 'keep one of them',
    status: 'INVALID_ARGUMENT',
  },
  REG0304: {
    sentence: 'the entry `{id}` has this SPIFFE ID, parent and selectors, and files of another owner made it',
    hint: 'take it out of the files of one of the two owners',
    status: 'ALREADY_EXISTS',
  },
  REG0303: {
    sentence: 'the entries in `{path}` cannot be used: {problem}',
    hint: 'correct the place that is named; `plastron entry apply` shows every problem of the file with its line',
    status: 'INVALID_ARGUMENT',
  },
} as const satisfies Record<`REG${number}`, FaultRow>;
