import type { FaultRow } from './row.js';

export const serverFaults = {
  SRV0101: {
    sentence: '{method} is not for {caller}',
    hint: 'operators call it on the admin socket of the server, or with the SVID of an entry that is marked admin',
    status: 'PERMISSION_DENIED',
  },
  SRV0102: {
    sentence: 'the SVID of the agent has expired',
    hint: 'attest the agent again: with a new join token, or by itself where its method allows it',
    status: 'PERMISSION_DENIED',
  },
  SRV0103: {
    sentence: 'the agent is not attested here',
    hint: 'attest the agent again: with a new join token, or by itself where its method allows it',
    status: 'PERMISSION_DENIED',
  },
  SRV0104: {
    sentence: 'the SVID is not the current one of the agent',
    hint: 'give every agent a data directory of its own; if two of them share one identity, attest both anew',
    status: 'PERMISSION_DENIED',
  },
  SRV0105: {
    sentence: 'the agent is banned',
    hint: 'an operator can delete the agent, which lifts the ban, and let it attest again',
    status: 'PERMISSION_DENIED',
  },
  SRV0106: {
    sentence: 'the agent cannot renew its SVID, since its node can attest again',
    hint: 'attest again on a connection without certificate',
    status: 'PERMISSION_DENIED',
  },
  SRV0107: {
    sentence: 'this version of the server does not serve {method} yet',
    hint: 'do without it, or ask for it where Plastron is developed',
    status: 'UNIMPLEMENTED',
  },
  SRV0108: {
    sentence: '`{id}` is of another trust domain, and no administrator of this server',
    hint: 'list it with --admin-id when the server is started, if it is to have the rights of an operator',
    status: 'PERMISSION_DENIED',
  },
  SRV0201: {
    sentence: 'the request has no `{field}`',
    hint: 'fill it in as the API of SPIRE describes it',
    status: 'INVALID_ARGUMENT',
  },
  SRV0202: {
    sentence: 'the request names {count} objects at once, more than {max}',
    hint: 'split it into several requests',
    status: 'INVALID_ARGUMENT',
  },
  SRV0203: {
    sentence: '{size} is not a page size',
    hint: 'ask for a number of items, or 0 to let the server choose',
    status: 'INVALID_ARGUMENT',
  },
  SRV0204: {
    sentence: 'the filter cannot be used: {problem}',
    hint: 'fill it in as the API of SPIRE describes it, or leave it out',
    status: 'INVALID_ARGUMENT',
  },
  SRV0205: {
    sentence: 'the stream does not follow the protocol: {problem}',
    hint: 'send the messages in the order that the API of SPIRE describes',
    status: 'INVALID_ARGUMENT',
  },
  SRV0206: {
    sentence: 'the page token is not one of this server',
    hint: 'give the token back as it came, or none to begin with the first page',
    status: 'INVALID_ARGUMENT',
  },
  SRV0301: {
    sentence: 'no entry has the ID `{id}`',
    hint: 'list the entries with `plastron entry list`',
    status: 'NOT_FOUND',
  },
  SRV0302: {
    sentence: 'the entry `{id}` is the same: it has this ID, or this SPIFFE ID, parent and selectors',
    hint: 'change that entry, or choose another ID, parent or set of selectors',
    status: 'ALREADY_EXISTS',
  },
  SRV0304: {
    sentence: 'this server has no trust bundle of `{trustDomain}`, so no entry can federate with it',
    hint: 'give the server its bundle first, or leave the trust domain out of what the entry federates with',
    status: 'INVALID_ARGUMENT',
  },
  SRV0305: {
    sentence: 'the agent is not authorised for an entry with the ID `{id}`',
    hint: 'list the entries with `plastron entry list`: the agent gets those that descend from it or from one of its aliases',
    status: 'NOT_FOUND',
  },
  SRV0401: {
    sentence: 'this server knows no attestation method `{method}`',
    hint: 'use one of: {known}',
    status: 'INVALID_ARGUMENT',
  },
  SRV0402: {
    sentence: 'a join token needs a lifetime',
    hint: 'say in how many seconds it expires',
    status: 'INVALID_ARGUMENT',
  },
  SRV0403: {
    sentence: 'there is a join token like this already',
    hint: 'leave the token out and the server makes one',
    status: 'ALREADY_EXISTS',
  },
  SRV0404: {
    sentence: 'no agent is called `{id}`',
    hint: 'write its whole SPIFFE ID, as the server lists it',
    status: 'NOT_FOUND',
  },
  SRV0405: {
    sentence: '`{id}` is not the ID of an agent of `{trustDomain}`',
    hint: 'write its whole SPIFFE ID, as the server lists it: it begins with /spire/agent/',
    status: 'INVALID_ARGUMENT',
  },
  SRV0502: {
    sentence: '`{level}` is not a log level',
    hint: 'use one of ERROR, WARN, INFO, DEBUG',
    status: 'INVALID_ARGUMENT',
  },
  SRV0601: {
    sentence: '`{trustDomain}` is the trust domain of the server itself',
    hint: 'name another trust domain; GetBundle gives the own bundle, which the server keeps itself',
    status: 'INVALID_ARGUMENT',
  },
  SRV0602: {
    sentence: 'the bundle cannot be used: {problem}',
    hint: 'send authorities as DER: one CA certificate each, or a public key with its key ID',
    status: 'INVALID_ARGUMENT',
  },
  SRV0603: {
    sentence: 'the server has no bundle of `{trustDomain}`',
    hint: 'list the bundles that it has, or give it this one',
    status: 'NOT_FOUND',
  },
  SRV0604: {
    sentence: 'the server has a bundle of `{trustDomain}` already',
    hint: 'update or set it instead of creating it',
    status: 'ALREADY_EXISTS',
  },
  SRV0605: {
    sentence: 'the bundle of `{trustDomain}` is in use by {count} entries',
    hint: 'take the trust domain out of these entries, or choose a mode that does or that deletes them',
    status: 'FAILED_PRECONDITION',
  },
  SRV0606: {
    sentence: '`{mode}` is not a way to delete a bundle',
    hint: 'use one of RESTRICT, DISSOCIATE, DELETE',
    status: 'INVALID_ARGUMENT',
  },
  SRV0607: {
    sentence: 'the key ID `{keyId}` belongs to another key',
    hint: 'give the key an ID that no other one has',
    status: 'ALREADY_EXISTS',
  },
} as const satisfies Record<`SRV${number}`, FaultRow>;
