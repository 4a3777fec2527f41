import { Command } from 'commander';
import { countDiagnostics, renderDiagnostics } from '../base/diagnostics/render.js';
import { placeOf } from '../base/source.js';
import { checkPolicy } from '../policy/check-policy.js';
import type { TestResult } from '../policy/run-tests.js';
import { type Cli, exitCodes } from './cli.js';
import { readPolicyFiles } from './policy-files.js';
import { type Cell, formatTable } from './voice.js';

/** `plastron policy test PATH...`: the policy's own tests, one line each. */
export function policyTest(cli: Cli): Command {
  return new Command()
    .argument('<path...>', 'the policy folder, or all files of the policy')
    .addHelpText(
      'after',
      '\nExit codes: 0 all tests pass, 1 one fails or the policy has errors, 2 it cannot be read.',
    )
    .action(async (paths: string[]) => {
      const { voice } = cli;
      const { diagnostics, tests } = checkPolicy(await readPolicyFiles(cli, paths), Date.now());
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      for (const line of formatTable(
        head,
        tests.map((result) => row(cli, result)),
      ))
        voice.print(line);
      if (errors.length > 0) voice.print(`\n${renderDiagnostics(errors, voice.paint)}`);
      const failed = tests.filter(({ failure }) => failure).length;
      const summary =
        errors.length > failed
          ? countDiagnostics(errors)
          : `${tests.length - failed} passed, ${failed} failed`;
      voice.print(`\n${voice.mark(errors.length === 0 ? 'good' : 'bad')} ${summary}`);
      if (errors.length > 0) cli.exitWith(exitCodes.negative);
    });
}

const head = ['', 'TEST', 'CALLER', 'SERVICE', 'CALL', 'ANSWER', 'RULE'];

function row({ voice }: Cli, { test, verdict, failure }: TestResult): Cell[] {
  const mark = failure ? 'bad' : 'good';
  const answer = verdict.allowed ? 'allow' : 'deny';
  return [
    { text: '✓', painted: voice.mark(mark) },
    placeOf(test.at),
    test.caller,
    test.service,
    `${test.method} ${test.path}`,
    { text: answer, painted: voice.paint(mark, answer) },
    verdict.rule,
  ];
}
