import { isAbsolute } from 'node:path';
import { type Diagnostic, diagnostic, hasErrors, type Report } from '../../../base/diagnostics/diagnostic.js';
import { fault } from '../../../base/faults/fault.js';
import { placeOf, type SourceFile } from '../../../base/source.js';
import { asList, asText, readFields } from '../../../base/yaml/fields.js';
import { parseYaml } from '../../../base/yaml/parse-yaml.js';
import type { Tree } from '../../../base/yaml/tree.js';
import type { Cluster } from './cluster.js';

const fieldRules = {
  name: 'required',
  serviceAccounts: 'required',
  audiences: 'optional',
  apiServer: 'optional',
  caFile: 'optional',
  tokenFile: 'optional',
  nodeLabels: 'optional',
  podLabels: 'optional',
} as const;

/** Where Kubernetes puts what a pod needs to talk to its own cluster. */
const ownCluster = {
  apiServer: 'https://kubernetes.default.svc',
  caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
  tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
};

/**
 * Reads the clusters whose nodes may attest:
 *
 *     version: 1
 *     clusters:
 *       - name: prod
 *         serviceAccounts: [plastron:agent]      # namespace:name, of the agents' pods
 *         # all of these may be left out:
 *         audiences: [spire-server]              # what the tokens are made for
 *         apiServer: https://10.0.0.1:6443       # without it: the cluster that the server itself runs in
 *         caFile: /etc/plastron/prod-ca.crt
 *         tokenFile: /etc/plastron/prod-token    # may create TokenReviews, get pods and nodes
 *         nodeLabels: [zone]                     # labels that become selectors
 *         podLabels: [app]
 *
 * Throws ATT0404 with the place of the first mistake.
 */
export function readClusters(file: SourceFile): Cluster[] {
  const found: Diagnostic[] = [];
  const report: Report = (each) => found.push(each);
  const tree = parseYaml(file, report);
  const sections =
    tree && readFields(tree, 'a file of clusters', { version: 'required', clusters: 'required' }, report);
  const { version, clusters: list } = sections ?? {};
  if (version && !(version.kind === 'scalar' && version.value === 1)) {
    report(diagnostic('ATT0405', { problem: '`version` is not 1' }, version.at));
  }
  const items = (list && asList(list, '`clusters`', report)?.items) ?? [];
  const clusters = items.flatMap((item) => readCluster(item, report) ?? []);
  const twice = clusters.find(({ name }, i) => clusters.findIndex((other) => other.name === name) < i);
  if (list && twice) report(diagnostic('ATT0405', { problem: `\`${twice.name}\` is there twice` }, list.at));
  if (list && items.length === 0) report(diagnostic('ATT0405', { problem: 'there is none' }, list.at));
  const [first] = found;
  if (first && hasErrors(found)) {
    throw fault('ATT0404', { path: file.path, problem: `${placeOf(first.at)}: ${first.message}` });
  }
  return clusters;
}

function readCluster(tree: Tree, report: Report): Cluster | undefined {
  const fields = readFields(tree, 'a cluster', fieldRules, report);
  if (!fields) return undefined;
  const text = (name: keyof typeof fieldRules, otherwise: string, rule: Rule) => {
    const field = fields[name];
    return (field && checkedText(field, `\`${name}\``, rule, report)) ?? otherwise;
  };
  const list = (name: keyof typeof fieldRules, rule: Rule = () => undefined) => {
    const field = fields[name];
    const items = (field && asList(field, `\`${name}\``, report)?.items) ?? [];
    return items.flatMap((item) => checkedText(item, `\`${name}\``, rule, report) ?? []);
  };
  const serviceAccounts = list('serviceAccounts', serviceAccount);
  if (fields.serviceAccounts && serviceAccounts.length === 0) {
    report(diagnostic('ATT0405', { problem: 'it allows no service account' }, fields.serviceAccounts.at));
  }
  const audiences = list('audiences');
  return {
    name: text('name', '', clusterName),
    serviceAccounts: new Set(serviceAccounts),
    audiences: audiences.length > 0 ? audiences : ['spire-server'],
    apiServer: {
      url: text('apiServer', ownCluster.apiServer, origin),
      caFile: text('caFile', ownCluster.caFile, absolute),
      tokenFile: text('tokenFile', ownCluster.tokenFile, absolute),
    },
    nodeLabels: new Set(list('nodeLabels')),
    podLabels: new Set(list('podLabels')),
  };
}

/** What is wrong with a text. */
type Rule = (text: string) => string | undefined;

function checkedText(tree: Tree, what: string, rule: Rule, report: Report): string | undefined {
  const text = asText(tree, what, report);
  const problem = text === undefined ? undefined : rule(text);
  if (problem !== undefined) report(diagnostic('ATT0405', { problem: `\`${text}\` ${problem}` }, tree.at));
  return text;
}

const clusterName = (text: string) =>
  /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}$/.test(text)
    ? undefined
    : 'is not 1 to 63 of a-z, A-Z, 0-9, dot, dash and underscore';

const serviceAccount = (text: string) =>
  /^[a-z0-9.-]+:[a-z0-9.-]+$/.test(text) ? undefined : 'is not written as namespace:name';

const absolute = (path: string) => (isAbsolute(path) ? undefined : 'is not an absolute path');

function origin(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = url?.protocol === 'https:' && `${url.origin}/` === url.href;
  return isOrigin ? undefined : 'is not https:// with a host, a port if need be, and nothing behind it';
}
