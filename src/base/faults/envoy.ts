import type { FaultRow } from './row.js';

export const envoyFaults = {
  ENV0101: {
    sentence: 'the SVID is said to be `{id}`, and its certificate says `{claimed}`',
    hint: 'give each SVID under the name that its certificate has',
    status: 'INTERNAL',
  },
  ENV0102: {
    sentence:
      'the chain of `{id}` is broken: the certificate with serial number {serial} was not issued by {next}',
    hint: 'put the leaf first and after each certificate the CA that issued it, without the root',
    status: 'INTERNAL',
  },
  ENV0103: {
    sentence: 'the private key of `{id}` does not fit its certificate: {problem}',
    hint: 'keep key and certificate of one SVID together; renew the SVID',
    status: 'INTERNAL',
  },
  ENV0104: {
    sentence: 'the SVID `{id}` is valid from {from} to {until} and not at {at}',
    hint: 'look at the clock, and why the SVID was not renewed',
    status: 'UNAVAILABLE',
  },
  ENV0105: {
    sentence: 'the key of `{id}` is of a kind that Envoy does not take',
    hint: 'use a key on the curve P-256, P-384 or P-521, or RSA with at least 2048 bits',
    status: 'INTERNAL',
  },
  ENV0201: {
    sentence: 'the validation context `{name}` would have no authority in it',
    hint: 'check that the trust bundle was fetched: nobody can be verified without one',
    status: 'UNAVAILABLE',
  },
  ENV0202: {
    sentence: 'the authority with serial number {serial} of `{trustDomain}` is not usable: {problem}',
    hint: 'publish CA certificates with cA, keyCertSign and a subject key identifier only',
    status: 'INTERNAL',
  },
  ENV0203: {
    sentence: 'the validation context `{name}` has two bundles of the trust domain `{trustDomain}`',
    hint: 'give one bundle for each trust domain',
    status: 'INTERNAL',
  },
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
