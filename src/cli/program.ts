import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { Fault } from '../base/faults/fault.js';
import type { StatusName } from '../base/faults/table.js';
import { visible } from '../base/visible.js';
import { type Cli, type ExitCode, exitCodes, type Surroundings } from './cli.js';
import { type CommandEntry, commands, nouns } from './commands.js';
import { examples } from './examples.js';
import { type ColorChoice, createVoice } from './voice.js';

/** Runs one command line, `args` without the program's name, and answers with the exit code. Never throws. */
export async function runProgram(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const color = colorChoice(args, surroundings.env);
  let code: ExitCode = exitCodes.ok;
  const cli: Cli = {
    ...surroundings,
    color,
    voice: createVoice({ ...surroundings, color }),
    exitWith: (chosen) => {
      code = chosen;
    },
  };
  try {
    const program = await buildProgram(args, cli);
    await program.parseAsync(args.length === 0 ? ['help'] : args, { from: 'user' });
    return code;
  } catch (error) {
    return report(error, cli);
  }
}

async function buildProgram(args: readonly string[], cli: Cli): Promise<Command> {
  const called = entryCalledBy(args);
  const program = new Command('plastron')
    .description(
      'SPIFFE identities for every workload behind Envoy, and a YAML policy that says who may call whom.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .addOption(colorOption)
    .addHelpText(
      'after',
      `${firstSteps}\n\nEvery option with a value has a twin in the environment: --data-dir DIR is PLASTRON_DATA_DIR=DIR.`,
    )
    .helpCommand('help [command]', 'show the help of a command')
    .commandsGroup('Ask:');
  const groups = new Map<string, Command>();
  for (const [noun, { about, group }] of Object.entries(nouns)) {
    groups.set(noun, new Command(noun).description(about).helpGroup(group));
  }
  for (const entry of commands) {
    const [first = '', second] = entry.words.split(' ');
    const parent = second === undefined ? program : groups.get(first);
    if (!parent) throw new Error(`no noun is called ${first}`);
    const command = entry === called ? (await entry.load())(cli) : new Command();
    command
      .name(second ?? first)
      .summary(entry.summary)
      .description(entry.summary);
    parent.addCommand(command);
  }
  for (const group of groups.values()) program.addCommand(group);
  for (const command of everyCommand(program)) inherit(command, cli);
  return program;
}

const firstSteps = examples(
  'plastron demo                                            see it work on this machine',
  'plastron policy check policy/                            find what is wrong with a policy',
  'plastron why web orders GET /v1/orders --policy policy/  may web call that?',
  'plastron entry apply -f entries.yaml --dry-run           what would change',
  'plastron why spiffe://shop.example/web                   who gets this identity, or why nobody does',
);

/** The command whose words the line starts with, options of the program aside. */
function entryCalledBy(args: readonly string[]): CommandEntry | undefined {
  const words = args.filter((arg, index) => !arg.startsWith('-') && args[index - 1] !== '--color');
  const wanted = words[0] === 'help' ? words.slice(1) : words;
  return commands.find(({ words }) => {
    const own = words.split(' ');
    return own.every((word, index) => wanted[index] === word);
  });
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** Commander copies settings only to subcommands that it makes itself. */
function inherit(command: Command, cli: Cli): void {
  command
    .exitOverride()
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('  = help: add --help for options and examples')
    .configureOutput({
      writeOut: (text) => void cli.stdout.write(text),
      writeErr: (text) => void cli.stderr.write(text),
      getOutHasColors: () => cli.voice.colored('stdout'),
      getErrHasColors: () => cli.voice.colored('stderr'),
      outputError: (text, write) => write(visibleLines(text)),
    });
  for (const option of command.options) takeFromEnvironment(option, command, cli);
}

/** Commander's own `env()` must be said before an option is added, and reads the environment of the process only. */
function takeFromEnvironment(option: Option, command: Command, cli: Cli): void {
  // A switch has no twin: `PLASTRON_X=false` would turn it on.
  if (!option.required) return;
  const name = `PLASTRON_${option.name().toUpperCase().replaceAll('-', '_')}`;
  const given = cli.env[name];
  option.envVar = name; // for the help
  if (given === undefined) return;
  try {
    const value = option.parseArg ? option.parseArg(given, undefined) : given;
    command.setOptionValueWithSource(option.attributeName(), value, 'env');
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    command.error(`error: \`${given}\` in ${name} is no value for ${option.flags}: ${error.message}`);
  }
}

const colorOption = new Option('--color <when>', 'colour the output')
  .choices(['auto', 'always', 'never'])
  .default('auto');

/** Read before the command line is parsed, since its errors are printed in colour too. */
function colorChoice(args: readonly string[], env: Surroundings['env']): ColorChoice {
  const given = args.findLast((arg, index) => args[index - 1] === '--color' || arg.startsWith('--color='));
  const choice = given?.replace(/^--color=/, '') ?? env.PLASTRON_COLOR;
  return choice === 'always' || choice === 'never' ? choice : 'auto';
}

function report(error: unknown, cli: Cli): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof Fault) {
    cli.voice.say(`${cli.voice.paint('bad', `error[${error.code}]`, 'stderr')}: ${visible(error.message)}`);
    cli.voice.say(`  = help: ${visible(error.hint)}`);
    cli.voice.say(`  = more: run \`plastron explain ${error.code}\``);
    return exitCodeOf(error.status);
  }
  const path = join(tmpdir(), `plastron-error-${randomBytes(6).toString('hex')}.txt`);
  writeFileSync(path, `${error instanceof Error ? error.stack : String(error)}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  cli.voice.say(
    `${cli.voice.paint('bad', 'internal error', 'stderr')}: this is a bug in plastron; details are in ${path}`,
  );
  return exitCodes.internal;
}

function exitCodeOf(status: StatusName): ExitCode {
  if (status === 'UNAVAILABLE') return exitCodes.unreachable;
  if (status === 'UNAUTHENTICATED' || status === 'PERMISSION_DENIED') return exitCodes.notAuthorised;
  return status === 'INVALID_ARGUMENT' ? exitCodes.usage : exitCodes.negative;
}

function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

function packageVersion(): string {
  const file = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}
