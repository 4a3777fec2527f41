/**
 * Bytes from base64url without padding (RFC 4648 §5), `undefined` for anything that is not the one way of writing them:
 * no other alphabet, no white space, no bits left over.
 */
export function fromBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
