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
  IDN0201: {
    sentence: 'the certificate cannot be read: it has {problem}',
    hint: 'use X.509 certificates of version 3 in DER, as RFC 5280 writes them',
    status: 'INVALID_ARGUMENT',
  },
  IDN0202: {
    sentence: 'the certificate chain has {count} certificates instead of 1 to {limit}',
    hint: 'present the SVID first, then its intermediates, and leave the root out',
    status: 'UNAUTHENTICATED',
  },
  IDN0203: {
    sentence: 'the certificate has {count} URI names instead of exactly one',
    hint: 'use a certificate whose only URI among the subject alternative names is its SPIFFE ID',
    status: 'UNAUTHENTICATED',
  },
  IDN0204: {
    sentence: 'the certificate of `{id}` may sign certificates, so it is not accepted as an SVID',
    hint: 'use a certificate that is no CA and has neither keyCertSign nor cRLSign',
    status: 'UNAUTHENTICATED',
  },
  IDN0205: {
    sentence: 'the key usage of the certificate of `{id}` does not include digitalSignature',
    hint: 'issue SVIDs with the key usage digitalSignature',
    status: 'UNAUTHENTICATED',
  },
  IDN0206: {
    sentence: 'the extended key usage of the certificate of `{id}` leaves out serverAuth or clientAuth',
    hint: 'issue SVIDs with both, or without an extended key usage',
    status: 'UNAUTHENTICATED',
  },
  IDN0207: {
    sentence: 'no authority of the trust domain `{trustDomain}` vouches for the certificate',
    hint: 'check that both sides have the current trust bundle, and that the SVID came from this trust domain',
    status: 'UNAUTHENTICATED',
  },
  IDN0208: {
    sentence: 'the SVID `{id}` does not belong to the trust domain `{trustDomain}`',
    hint: 'verify an SVID with the trust bundle of its own trust domain only',
    status: 'UNAUTHENTICATED',
  },
  IDN0209: {
    sentence: 'the certificate with serial number {serial} is valid from {from} to {until} and not at {at}',
    hint: 'look at the clocks of both machines, and whether the SVID was renewed',
    status: 'UNAUTHENTICATED',
  },
  IDN0210: {
    sentence:
      'the certificate with serial number {serial} has the extension {extension}, which is not supported',
    hint: 'issue certificates without name constraints and without other critical extensions',
    status: 'UNAUTHENTICATED',
  },
  IDN0211: {
    sentence: 'the certificate with serial number {serial} may not issue this one: {problem}',
    hint: 'use intermediates that are CAs with keyCertSign, and as many as their path lengths allow',
    status: 'UNAUTHENTICATED',
  },
  IDN0301: {
    sentence: 'the trust bundle is not a PEM file of CA certificates: {problem}',
    hint: 'give a file that holds certificates only, as `plastron bundle show` writes it',
    status: 'INVALID_ARGUMENT',
  },
  IDN0302: {
    sentence: 'the certificate with serial number {serial} is no CA, so it cannot be in a trust bundle',
    hint: 'put the CA certificates of the trust domain into the bundle, not SVIDs',
    status: 'INVALID_ARGUMENT',
  },
  IDN0303: {
    sentence: 'the trust bundle is not a JWK set: {problem}',
    hint: 'give a bundle in the format of SPIFFE Trust Domain and Bundle, section 4',
    status: 'INVALID_ARGUMENT',
  },
  IDN0304: {
    sentence: 'the trust bundle has more than {limit}',
    hint: 'remove the keys that nothing is verified with any more',
    status: 'INVALID_ARGUMENT',
  },
  IDN0401: {
    sentence: 'the JWT-SVID cannot be read: it has {problem}',
    hint: 'send one token in the compact form, as the Workload API gives it',
    status: 'INVALID_ARGUMENT',
  },
  IDN0402: {
    sentence: 'the JWT-SVID has an algorithm that is not accepted: `{algorithm}`',
    hint: 'sign with RS, ES or PS and 256, 384 or 512',
    status: 'INVALID_ARGUMENT',
  },
  IDN0403: {
    sentence: 'the subject of the JWT-SVID is not the SPIFFE ID of a workload: `{subject}`',
    hint: 'use a token whose `sub` is a SPIFFE ID with a path',
    status: 'INVALID_ARGUMENT',
  },
  IDN0404: {
    sentence: 'the JWT-SVID does not say for whom it is meant',
    hint: 'ask for a token for the audience that it is shown to',
    status: 'INVALID_ARGUMENT',
  },
  IDN0405: {
    sentence: 'the trust domain `{trustDomain}` does not vouch for the JWT-SVID of `{id}`: {problem}',
    hint: 'check that both sides have the current trust bundle, and that the token came from this trust domain',
    status: 'INVALID_ARGUMENT',
  },
  IDN0406: {
    sentence: 'the JWT-SVID of `{id}` is not meant for `{audience}`',
    hint: 'ask for a token for this audience; the comparison is exact',
    status: 'INVALID_ARGUMENT',
  },
  IDN0407: {
    sentence: 'the JWT-SVID of `{id}` is valid from {from} to {until} and not at {at}',
    hint: 'ask for a new token for every use, and look at the clocks of both machines',
    status: 'INVALID_ARGUMENT',
  },
} as const satisfies Record<`IDN${number}`, FaultRow>;
