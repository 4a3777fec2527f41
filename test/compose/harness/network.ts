import { execFileSync } from 'node:child_process';

/** Network namespaces of one compose project, named after this process, with a bridge for each network in one of their own. */
export interface Networks {
  /** The namespace of a service, connected to networks by name; none at all: only its own loopback. */
  join(service: string, networks: readonly string[]): string;
  /** What a service finds in its hosts file: who shares a network with it. */
  hostsOf(service: string): string;
  remove(): void;
}

/** `members`: the services of each network, in the order of their addresses. */
export function openNetworks(members: ReadonlyMap<string, readonly string[]>): Networks {
  removeLeftOvers();
  const prefix = `plc${process.pid}-`;
  const hub = `${prefix}hub`;
  ip('netns', 'add', hub);
  const networks = [...members.keys()];
  for (const network of networks) {
    ip('-n', hub, 'link', 'add', bridgeOf(network), 'type', 'bridge');
    ip('-n', hub, 'link', 'set', bridgeOf(network), 'up');
  }
  const addressOf = (service: string, network: string) =>
    `10.77.${networks.indexOf(network)}.${(members.get(network) ?? []).indexOf(service) + 10}`;
  let cables = 0;
  return {
    join: (service, joined) => {
      const namespace = prefix + service;
      ip('netns', 'add', namespace);
      ip('-n', namespace, 'link', 'set', 'lo', 'up');
      for (const network of joined) {
        const [inside, outside] = [`eth-${network}`, `cable${cables++}`];
        ip('-n', hub, 'link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', namespace);
        ip('-n', hub, 'link', 'set', outside, 'master', bridgeOf(network), 'up');
        ip('-n', namespace, 'addr', 'add', `${addressOf(service, network)}/24`, 'dev', inside);
        ip('-n', namespace, 'link', 'set', inside, 'up');
      }
      return namespace;
    },
    hostsOf: (service) =>
      [...members]
        .filter(([, services]) => services.includes(service))
        .flatMap(([network, services]) => services.map((other) => `${addressOf(other, network)} ${other}\n`))
        .join(''),
    remove: () => removeNamespaces((name) => name.startsWith(prefix)),
  };
}

function bridgeOf(network: string): string {
  return `br-${network}`.slice(0, 15);
}

/** Those of a test that was killed and could not do it itself. */
function removeLeftOvers(): void {
  removeNamespaces((name) => {
    const pid = Number(/^plc(\d+)-/.exec(name)?.[1]);
    if (!pid) return false;
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
}

function removeNamespaces(isOurs: (name: string) => boolean): void {
  const names = ip('netns', 'list')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
  for (const name of names.filter(isOurs)) ip('netns', 'delete', name);
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}
