import { isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'commander';

/** Reads `HOST:PORT`, an IPv6 address in brackets, as an option's value. */
export function hostAndPort(given: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(given) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) {
    throw new InvalidArgumentError('Write HOST:PORT, with an IPv6 address in brackets.');
  }
  return { host, port: Number(port) };
}
