import { Option } from 'commander';
import { visible } from '../base/visible.js';
import { type Cli, exitCodes } from './cli.js';

export function yesOption(): Option {
  return new Option('-y, --yes', 'do not ask');
}

/**
 * Whether to go on with what cannot be undone. Only somebody at a terminal is asked: a script that runs the command has
 * decided. A no ends with exit code 1.
 */
export async function confirmed(cli: Cli, yes: true | undefined, question: string): Promise<boolean> {
  if (yes || !cli.ask) return true;
  const answer = await cli.ask(`${visible(question)} [y/N] `);
  if (/^\s*y(?:es)?\s*$/i.test(answer)) return true;
  cli.voice.say('nothing was done');
  cli.exitWith(exitCodes.negative);
  return false;
}
