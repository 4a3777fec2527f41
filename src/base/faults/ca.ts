import type { FaultRow } from './row.js';

export const caFaults = {
  CAS0101: {
    sentence: 'the authority of `{trustDomain}` cannot issue an SVID for `{id}`',
    hint: 'give the entry a SPIFFE ID of the trust domain that the server stands for',
    status: 'INVALID_ARGUMENT',
  },
  CAS0102: {
    sentence: 'the key that `{id}` asks to be certified is the key of a signing authority',
    hint: 'make a new key for every SVID',
    status: 'INVALID_ARGUMENT',
  },
  CAS0103: {
    sentence: 'an SVID cannot last {ttl} seconds',
    hint: 'give a lifetime of at least one second',
    status: 'INVALID_ARGUMENT',
  },
  CAS0104: {
    sentence: 'no signing authority of the trust domain is valid at {at}, so nothing can be issued',
    hint: 'look at the clock of the server',
    status: 'UNAVAILABLE',
  },
  CAS0105: {
    sentence: '`{name}` is not a DNS name that can be put into a certificate',
    hint: 'use labels of letters, digits, dash and underscore, at most 63 characters each and 253 in all',
    status: 'INVALID_ARGUMENT',
  },
  CAS0106: {
    sentence: 'the key manager failed: {problem}',
    hint: 'try again; look whether the key management service can be reached and still has the key',
    status: 'UNAVAILABLE',
  },
  CAS0107: {
    sentence:
      'the clock of the server jumped to {at}, when no signing authority is valid, so nothing is issued',
    hint: 'set the clock right; one that stays as it is is believed after some minutes, or when the server is restarted: then a new authority is made, and agents need the new trust bundle',
    status: 'UNAVAILABLE',
  },
  CAS0108: {
    sentence: 'the SVID could not be signed, because the threads that sign died over it',
    hint: 'look at the log of the server, which has the reason; other SVIDs are signed as before',
    status: 'INTERNAL',
  },
  CAS0109: {
    sentence: 'a JWT-SVID needs an audience, and none of its audiences may be empty',
    hint: 'say whom the token will be shown to',
    status: 'INVALID_ARGUMENT',
  },
  CAS0110: {
    sentence: 'the JWT-SVID would be larger than {limit} bytes',
    hint: 'ask for fewer audiences, or for one token each',
    status: 'INVALID_ARGUMENT',
  },
  CAS0201: {
    sentence: 'the public key cannot be read: it has {problem}',
    hint: 'send the key as a SubjectPublicKeyInfo in DER',
    status: 'INVALID_ARGUMENT',
  },
  CAS0202: {
    sentence: 'the public key is not accepted: {problem}',
    hint: 'use a key of the curve P-256 or P-384, or RSA with 2048 to 8192 bits',
    status: 'INVALID_ARGUMENT',
  },
  CAS0203: {
    sentence: 'CSR cannot be read: it has {problem}',
    hint: 'send one PKCS#10 request in DER',
    status: 'INVALID_ARGUMENT',
  },
  CAS0204: {
    sentence: 'CSR is not signed by the key that it asks to be certified',
    hint: 'sign it with its own key, by ECDSA or RSA (PKCS#1 v1.5) with SHA-256, SHA-384 or SHA-512',
    status: 'INVALID_ARGUMENT',
  },
  CAS0205: {
    sentence: 'the CSR asks for {count} URI names instead of exactly one',
    hint: 'make a CSR whose only URI among the subject alternative names is the SPIFFE ID',
    status: 'INVALID_ARGUMENT',
  },
  CAS0301: {
    sentence: 'the signing authorities cannot be loaded: {problem}',
    hint: 'restore the file from a backup; with a new one every SVID of the trust domain must be issued anew',
    status: 'FAILED_PRECONDITION',
  },
  CAS0302: {
    sentence: '`{path}` is open to others than this user: its mode is {mode} and its owner is uid {uid}',
    hint: 'treat keys that others could read as lost; else make the file 0600 and its folder 0700, owned by this user',
    status: 'FAILED_PRECONDITION',
  },
  CAS0303: {
    sentence: 'the signing authorities in `{path}` cannot be read or written: {code}',
    hint: 'check that the disk has room and that this user may write to the folder',
    status: 'FAILED_PRECONDITION',
  },
  CAS0304: {
    sentence: 'the file `{path}` with the signing authorities of this server is gone',
    hint: 'restore the file from a backup; to start over with a new trust bundle, move the whole data folder away',
    status: 'FAILED_PRECONDITION',
  },
} as const satisfies Record<`CAS${number}`, FaultRow>;
