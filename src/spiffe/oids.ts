/** Object identifiers of X.509 (RFC 5280, RFC 5480, RFC 4055, RFC 5758), in dotted form. */
export const oids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  anyExtendedKeyUsage: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  commonName: '2.5.4.3',
  serialNumber: '2.5.4.5',
  country: '2.5.4.6',
  organization: '2.5.4.10',
  ecPublicKey: '1.2.840.10045.2.1',
  p256: '1.2.840.10045.3.1.7',
  p384: '1.3.132.0.34',
  p521: '1.3.132.0.35',
  rsaEncryption: '1.2.840.113549.1.1.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
  rsaWithSha256: '1.2.840.113549.1.1.11',
  rsaWithSha384: '1.2.840.113549.1.1.12',
  rsaWithSha512: '1.2.840.113549.1.1.13',
  extensionRequest: '1.2.840.113549.1.9.14',
} as const;

/** The bits of the key usage extension (RFC 5280 §4.2.1.3). */
export const keyUsageBits = {
  digitalSignature: 0,
  contentCommitment: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
} as const;

/** A signature algorithm: the kind of key that it is for, and the name of its hash for `node:crypto`. */
export interface SignatureAlgorithm {
  key: 'EC' | 'RSA';
  hash: 'sha256' | 'sha384' | 'sha512';
}

/** The signature algorithms that are accepted anywhere, by object identifier: none with SHA-1 or MD5. */
export const signatureAlgorithms: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  [oids.ecdsaWithSha256, { key: 'EC', hash: 'sha256' }],
  [oids.ecdsaWithSha384, { key: 'EC', hash: 'sha384' }],
  [oids.ecdsaWithSha512, { key: 'EC', hash: 'sha512' }],
  [oids.rsaWithSha256, { key: 'RSA', hash: 'sha256' }],
  [oids.rsaWithSha384, { key: 'RSA', hash: 'sha384' }],
  [oids.rsaWithSha512, { key: 'RSA', hash: 'sha512' }],
]);
