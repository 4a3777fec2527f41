import type { FaultRow } from './row.js';

export const spiffeFaults = {
  IDN0101: {
    sentence: '`{id}` is not a SPIFFE ID: it does not start with `spiffe://`',
    hint: 'write spiffe://<trust domain>/<path>, all of the scheme in lower case',
    status: 'INVALID_ARGUMENT',
  },
  IDN0102: {
    sentence: 'the trust domain in `{id}` is empty',
    hint: 'put the name of the trust domain after spiffe://, as in spiffe://prod.example/web',
    status: 'INVALID_ARGUMENT',
  },
  IDN0103: {
    sentence: 'the trust domain `{trustDomain}` has a character that is not allowed: `{character}`',
    hint: 'use only a-z, 0-9, dot, dash and underscore; no port, no user name, no upper case, no percent-encoding',
    status: 'INVALID_ARGUMENT',
  },
  IDN0104: {
    sentence: 'the trust domain is {bytes} bytes long, more than 255',
    hint: 'use a shorter name for the trust domain',
    status: 'INVALID_ARGUMENT',
  },
  IDN0105: {
    sentence: 'the path of `{id}` has a character that is not allowed: `{character}`',
    hint: 'use only a-z, A-Z, 0-9, dot, dash and underscore between the slashes; no query, no fragment, no percent-encoding',
    status: 'INVALID_ARGUMENT',
  },
  IDN0106: {
    sentence: 'the path of `{id}` has an empty segment',
    hint: 'remove the doubled or trailing slash',
    status: 'INVALID_ARGUMENT',
  },
  IDN0107: {
    sentence: 'the path of `{id}` has the segment `{segment}`',
    hint: 'SPIFFE IDs are compared as they are written: leave out `.` and `..`',
    status: 'INVALID_ARGUMENT',
  },
  IDN0108: {
    sentence: 'the SPIFFE ID is {bytes} bytes long, more than 2048',
    hint: 'use a shorter path',
    status: 'INVALID_ARGUMENT',
  },
  IDN0109: {
    sentence: 'the SPIFFE ID `{id}` has no path, so it names a trust domain and not a workload',
    hint: 'add a path, as in spiffe://prod.example/web',
    status: 'INVALID_ARGUMENT',
  },
} as const satisfies Record<`IDN${number}`, FaultRow>;
