import type { Command } from 'commander';
import type { Cli } from './cli.js';

/** Every command, one line each, by what the user types; its file is loaded only when it is called. */
export const commands: readonly CommandEntry[] = [
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
    words: 'agent health',
    summary: 'whether an agent can hand out identities',
    load: async () => (await import('./agent-health.js')).agentHealth,
  },
];

/** The first words that group commands, and what they are about. */
export const nouns: Readonly<Record<string, string>> = {
  agent: 'the agent of a node',
  envoy: 'what Envoys are started with',
};

export interface CommandEntry {
  /** What the user types: `why`, or a noun and a verb as in `policy check`. */
  readonly words: string;
  readonly summary: string;
  load(): Promise<MakeCommand>;
}

/** Makes a command; the program gives it its name and its summary. */
export type MakeCommand = (cli: Cli) => Command;
