import type { ColorChoice, TextSink, Voice } from './voice.js';

/** What a run of the program stands on, handed in so that tests run it in their own process. */
export interface Surroundings {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative paths that the user gives are resolved against it. */
  readonly cwd: string;
  /** Puts a question to the person at the terminal; missing when nobody is there to answer. */
  readonly ask?: (question: string) => Promise<string>;
}

/** What a command is given. */
export interface Cli extends Surroundings {
  readonly voice: Voice;
  readonly color: ColorChoice;
  /** Sets the code the program will end with once the command is done; see `exitCodes`. */
  exitWith(code: ExitCode): void;
}

/** docs/reference/exit-codes.md says the same. */
export const exitCodes = {
  ok: 0,
  /** A negative answer: denied, the policy has errors, a test failed, something differs. */
  negative: 1,
  usage: 2,
  guardTripped: 3,
  unreachable: 4,
  notAuthorised: 5,
  internal: 70,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
