import type { Command } from 'commander';
import type { Cli } from './cli.js';

/** Every command, one line each, by what the user types; its file is loaded only when it is called. */
export const commands: readonly CommandEntry[] = [
  {
    words: 'why',
    summary: 'why a call is allowed or denied, or an identity issued or not',
    load: async () => (await import('./why.js')).why,
  },
  {
    words: 'policy check',
    summary: 'find everything that is wrong with a policy, and with entries beside it',
    load: async () => (await import('./policy-check.js')).policyCheck,
  },
  {
    words: 'policy test',
    summary: "run a policy's own tests",
    load: async () => (await import('./policy-test.js')).policyTest,
  },
  {
    words: 'demo',
    summary: 'run everything on this machine, with real Envoys, and watch what it does',
    load: async () => (await import('./demo.js')).demo,
  },
  {
    words: 'explain',
    summary: 'what an error code means',
    load: async () => (await import('./explain.js')).explain,
  },
  {
    words: 'envoy bootstrap',
    summary: 'fill in the variables of an Envoy bootstrap',
    load: async () => (await import('./envoy-bootstrap.js')).envoyBootstrap,
  },
  {
    words: 'agent run',
    summary: 'run the agent of a node',
    load: async () => (await import('./agent-run.js')).agentRun,
  },
  {
    words: 'agent health',
    summary: 'whether an agent can hand out identities, and for how long without its server',
    load: async () => (await import('./agent-health.js')).agentHealth,
  },
  {
    words: 'server run',
    summary: 'run the server of a trust domain',
    load: async () => (await import('./server-run.js')).serverRun,
  },
  {
    words: 'server health',
    summary: 'whether a server can issue and record now',
    load: async () => (await import('./server-health.js')).serverHealth,
  },
  {
    words: 'server backup',
    summary: 'copy everything that a running server keeps into one file',
    load: async () => (await import('./server-backup.js')).serverBackup,
  },
  {
    words: 'server restore',
    summary: 'put a backup in the place of a lost server',
    load: async () => (await import('./server-restore.js')).serverRestore,
  },
  {
    words: 'node list',
    summary: 'list the nodes',
    load: async () => (await import('./node/list.js')).nodeList,
  },
  {
    words: 'node show',
    summary: 'everything about one node',
    load: async () => (await import('./node/show.js')).nodeShow,
  },
  {
    words: 'node count',
    summary: 'how many nodes there are',
    load: async () => (await import('./node/count.js')).nodeCount,
  },
  {
    words: 'node token',
    summary: 'make a join token, which lets one node in',
    load: async () => (await import('./node/token.js')).nodeToken,
  },
  {
    words: 'node evict',
    summary: 'forget nodes, which may attest again',
    load: async () => (await import('./node/remove.js')).nodeEvict,
  },
  {
    words: 'node ban',
    summary: 'shut nodes out',
    load: async () => (await import('./node/remove.js')).nodeBan,
  },
  {
    words: 'entry list',
    summary: 'list the registration entries',
    load: async () => (await import('./entry/list.js')).entryList,
  },
  {
    words: 'entry show',
    summary: 'everything about one entry',
    load: async () => (await import('./entry/show.js')).entryShow,
  },
  {
    words: 'entry count',
    summary: 'how many entries there are',
    load: async () => (await import('./entry/count.js')).entryCount,
  },
  {
    words: 'entry create',
    summary: 'create a registration entry',
    load: async () => (await import('./entry/create.js')).entryCreate,
  },
  {
    words: 'entry update',
    summary: 'change something of an entry',
    load: async () => (await import('./entry/update.js')).entryUpdate,
  },
  {
    words: 'entry delete',
    summary: 'delete registration entries',
    load: async () => (await import('./entry/delete.js')).entryDelete,
  },
  {
    words: 'entry apply',
    summary: 'make the entries what files say, and change nothing else',
    load: async () => (await import('./entry/apply.js')).entryApply,
  },
  {
    words: 'bundle show',
    summary: "print a trust bundle; by the server's own its agents trust it",
    load: async () => (await import('./bundle/show.js')).bundleShow,
  },
  {
    words: 'bundle list',
    summary: 'list the bundles of other trust domains',
    load: async () => (await import('./bundle/list.js')).bundleList,
  },
  {
    words: 'bundle set',
    summary: 'take the bundle of another trust domain',
    load: async () => (await import('./bundle/set.js')).bundleSet,
  },
  {
    words: 'bundle delete',
    summary: 'stop trusting other trust domains',
    load: async () => (await import('./bundle/delete.js')).bundleDelete,
  },
  {
    words: 'svid mint-x509',
    summary: 'issue an X.509-SVID that no entry is behind, into files',
    load: async () => (await import('./svid/mint-x509.js')).svidMintX509,
  },
  {
    words: 'svid mint-jwt',
    summary: 'issue a JWT-SVID that no entry is behind',
    load: async () => (await import('./svid/mint-jwt.js')).svidMintJwt,
  },
];

/** The first words that group commands, and what they are about, in the order of the help. */
export const nouns: Readonly<Record<string, { readonly about: string; readonly group: HelpGroup }>> = {
  policy: { about: 'the policy: who may call whom', group: 'Keep:' },
  entry: { about: 'registration entries: which workload gets which identity', group: 'Keep:' },
  node: { about: 'nodes, on which agents run', group: 'Keep:' },
  bundle: { about: 'trust bundles: what verifies the SVIDs of a trust domain', group: 'Keep:' },
  svid: { about: 'SVIDs: identities that an operator issues by hand', group: 'Keep:' },
  server: { about: 'the server of a trust domain', group: 'Run:' },
  agent: { about: 'the agent of a node', group: 'Run:' },
  envoy: { about: 'what Envoys are started with', group: 'Run:' },
};

/** Headings of the program's own help. Commands that are one word answer questions. */
export type HelpGroup = 'Ask:' | 'Keep:' | 'Run:';

export interface CommandEntry {
  /** What the user types: `why`, or a noun and a verb as in `policy check`. */
  readonly words: string;
  readonly summary: string;
  load(): Promise<MakeCommand>;
}

/** Makes a command; the program gives it its name and its summary. */
export type MakeCommand = (cli: Cli) => Command;
