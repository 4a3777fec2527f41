import { diagnostic, type Report } from '../../base/diagnostics/diagnostic.js';
import { didYouMean } from '../../base/diagnostics/similar.js';
import { asText, mistyped, oneOrMore, readFields } from '../../base/yaml/fields.js';
import type { Tree } from '../../base/yaml/tree.js';
import { parseTrustDomain, parseWorkloadId, type SpiffeId } from '../../spiffe/id.js';
import type { CallerPattern } from './caller-pattern.js';
import type { Service } from './model.js';
import { type Definition, readDefinitions } from './names.js';
import type { PolicySections } from './policy-file.js';
import { readCallerPattern, type TrustDomainNames } from './read-caller-pattern.js';

/** `services:`, whose policies we make: each has the one identity that its Envoy proves. */
export function readServices(
  files: readonly PolicySections[],
  trustDomains: TrustDomainNames,
  report: Report,
): Map<string, Service> {
  const services = new Map<string, Service>();
  for (const definition of readDefinitions(files, 'services', 'a service', report).values()) {
    services.set(definition.name, readService(definition, trustDomains, report));
  }
  return services;
}

/** `to:`, one service by name or a list of them. */
export function readServiceNames(
  tree: Tree | undefined,
  services: ReadonlyMap<string, Service>,
  where: string,
  report: Report,
): string[] {
  const names = new Set<string>();
  for (const item of tree ? oneOrMore(tree, `\`to\` of ${where}`, report) : []) {
    const name = asText(item, `a service in \`to\` of ${where}`, report);
    if (name === undefined) continue;
    if (services.has(name)) names.add(name);
    else {
      const similar = didYouMean(name, services.keys());
      report(
        diagnostic('POL0202', { where, name }, item.at, { label: 'no service has this name', ...similar }),
      );
    }
  }
  return [...names];
}

function readService(
  { name, nameAt, value }: Definition,
  trustDomains: TrustDomainNames,
  report: Report,
): Service {
  const what = `the service \`${name}\``;
  const rules = { identity: 'required', protocol: 'required', port: 'later', mode: 'later' } as const;
  const fields = readFields(value, what, rules, report);
  readProtocol(fields?.protocol, what, report);
  const caller = readIdentity(fields?.identity, what, trustDomains, report) ?? unreadable;
  return { name, identity: caller.exact, caller, protocol: 'http', at: nameAt };
}

type ExactCaller = CallerPattern & { readonly exact: SpiffeId };

function readIdentity(
  tree: Tree | undefined,
  what: string,
  trustDomains: TrustDomainNames,
  report: Report,
): ExactCaller | undefined {
  const text = asText(tree, `the \`identity\` of ${what}`, report);
  const caller =
    tree && text !== undefined ? readCallerPattern(text, tree.at, trustDomains, report) : undefined;
  if (!tree || !caller) return;
  if (isExact(caller)) return caller;
  return mistyped(tree, `the \`identity\` of ${what}`, 'one SPIFFE ID without stars', report);
}

function isExact(caller: CallerPattern): caller is ExactCaller {
  return caller.exact !== undefined;
}

/** Stands in for what has been reported, so that the service is not called unknown; no policy comes of it. */
const unreadable: ExactCaller = {
  text: 'unreadable:/',
  trustDomain: parseTrustDomain('unreadable'),
  segments: [],
  exact: parseWorkloadId('spiffe://unreadable/service'),
};

function readProtocol(tree: Tree | undefined, what: string, report: Report): void {
  const protocol = asText(tree, `the \`protocol\` of ${what}`, report);
  if (protocol === undefined || !tree || protocol === 'http') return;
  if (protocol === 'tcp' || protocol === 'grpc')
    report(diagnostic('POL0105', { what, field: `protocol: ${protocol}` }, tree.at));
  else mistyped(tree, `the \`protocol\` of ${what}`, '`http`', report);
}
