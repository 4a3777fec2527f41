/**
 * What connections are counted by: an IPv4 address, or the /64 of an IPv6 address, since whoever has one address of it has all.
 * IPv4 addresses in IPv6 clothes (`::ffff:10.0.0.1`) are IPv4 addresses.
 */
export function networkOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const groups = (part: string | undefined) => (part ? part.split(':') : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? 0 : Math.max(8 - before.length - after.length, 0);
  const all = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Of a peer's address with its port, as `127.0.0.1:1234` or `::1:1234`. */
export function networkOfPeer(address: string): string {
  return networkOf(address.slice(0, address.lastIndexOf(':')));
}
