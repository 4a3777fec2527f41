import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { renderBootstrap } from '../../src/envoy/bootstrap.js';

interface Bootstrap {
  admin: unknown;
  overload_manager: unknown;
  static_resources: { listeners: { name: string }[]; clusters: { name: string }[] };
}

const names = ['inbound', 'outbound', 'both'] as const;

function textOf(name: (typeof names)[number]): string {
  return readFileSync(new URL(`../../../examples/envoy-configs/${name}.yaml`, import.meta.url), 'utf8');
}

function rendered(name: (typeof names)[number]): Bootstrap {
  const text = textOf(name);
  const values = new Map(documentedVariables(text).map((variable) => [variable, `<${variable}>`]));
  return parse(renderBootstrap({ path: name, text }, values)) as Bootstrap;
}

/** The sentence in the head of every example: `# Variables: A, B (paths); C.` */
function documentedVariables(text: string): string[] {
  const head = text.slice(0, text.indexOf('\nnode:'));
  return head.slice(head.indexOf('Variables:')).match(/\b[A-Z_]{4,}\b/g) ?? [];
}

function named<T extends { name: string }>(list: T[], name: string): T {
  const found = list.find((item) => item.name === name);
  assert.ok(found, `nothing is called ${name}`);
  return found;
}

test('every example bootstrap has exactly the variables that its head says', () => {
  for (const name of names) assert.ok(rendered(name).static_resources.clusters.length > 0);
});

test('what two example bootstraps both do, they do in the same way', () => {
  const [inbound, outbound, both] = names.map(rendered) as [Bootstrap, Bootstrap, Bootstrap];
  for (const one of [inbound, outbound]) {
    assert.deepEqual(one.admin, both.admin);
    assert.deepEqual(one.overload_manager, both.overload_manager);
    for (const { name } of one.static_resources.clusters.filter(({ name }) => name !== 'web')) {
      const [a, b] = [one, both].map((bootstrap) => named(bootstrap.static_resources.clusters, name));
      assert.deepEqual(a, b, `the cluster ${name}`);
    }
  }
  const [a, b] = [inbound, both].map((one) => named(one.static_resources.listeners, 'inbound'));
  assert.deepEqual(a, b);
  assert.deepEqual(httpWithoutRoutes(outbound), httpWithoutRoutes(both));
});

test('the pin of a cluster is the service that the cluster is called after', () => {
  const [, outbound] = names.map(rendered) as [Bootstrap, Bootstrap, Bootstrap];
  for (const name of ['orders', 'web']) {
    const cluster = JSON.stringify(named(outbound.static_resources.clusters, name));
    assert.match(cluster, new RegExp(`{"exact":"spiffe://shop.example/${name}"}`));
  }
});

function httpWithoutRoutes(bootstrap: Bootstrap): string {
  const listener = JSON.stringify(named(bootstrap.static_resources.listeners, 'outbound'));
  return listener.slice(0, listener.indexOf('"route_config"'));
}
