import type { Bundle } from '../spiffe/bundle.js';

export type BundleContent = Omit<Bundle, 'trustDomain'>;

/** A bundle as a text: bytes in base64, the sequence number, which has 64 bits, as a text. */
interface Written {
  readonly x509: readonly { readonly der: string; readonly tainted: boolean }[];
  readonly jwt: readonly {
    readonly keyId: string;
    readonly publicKey: string;
    readonly expiresAt: number;
    readonly tainted: boolean;
  }[];
  readonly sequence: string;
  readonly refreshHint: number;
}

export function contentText({
  x509Authorities,
  jwtAuthorities,
  sequence,
  refreshHint,
}: BundleContent): string {
  const content: Written = {
    x509: x509Authorities.map(({ der, tainted }) => ({ der: base64(der), tainted })),
    jwt: jwtAuthorities.map(({ publicKey, ...key }) => ({ ...key, publicKey: base64(publicKey) })),
    sequence: sequence.toString(),
    refreshHint,
  };
  return JSON.stringify(content);
}

export function contentOf(text: string): BundleContent {
  const { x509, jwt, sequence, refreshHint } = JSON.parse(text) as Written;
  return {
    x509Authorities: x509.map(({ der, tainted }) => ({ der: bytes(der), tainted })),
    jwtAuthorities: jwt.map(({ publicKey, ...key }) => ({ ...key, publicKey: bytes(publicKey) })),
    sequence: BigInt(sequence),
    refreshHint,
  };
}

const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
