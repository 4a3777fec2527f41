import { Command } from 'commander';
import { countDiagnostics, renderDiagnostics } from '../base/diagnostics/render.js';
import { checkPolicy } from '../policy/check-policy.js';
import { type Cli, exitCodes } from './cli.js';
import { readPolicyFiles } from './policy-files.js';

/** `plastron policy check PATH...`: everything that the server asks of a policy before it takes it. */
export function policyCheck(cli: Cli): Command {
  return new Command()
    .argument('<path...>', 'the policy folder, or all files of the policy')
    .addHelpText('after', '\nExit codes: 0 no errors, 1 the policy would be refused, 2 it cannot be read.')
    .action(async (paths: string[]) => {
      const { voice } = cli;
      const { checked, diagnostics, tests } = checkPolicy(await readPolicyFiles(cli, paths), Date.now());
      if (diagnostics.length > 0) voice.print(`${renderDiagnostics(diagnostics, voice.paint)}\n`);
      const found = countDiagnostics(diagnostics);
      if (!checked) {
        voice.print(`${voice.mark('bad')} the policy would be refused: ${found}`);
        return cli.exitWith(exitCodes.negative);
      }
      // Compiling loads Envoy's protos, which errors in the policy need not wait for.
      const { httpFilter } = await import('../envoy/rbac/http-filter.js');
      for (const [name, diagram] of checked.diagrams) {
        const service = checked.policy.services.get(name);
        if (service) httpFilter(diagram, service.identity, Date.now());
      }
      const { services, rules } = checked.policy;
      const size = `${plural(services.size, 'service')}, ${plural(rules.length, 'rule')}, ${plural(tests.length, 'test')} passed`;
      voice.print(
        `${voice.mark('good')} the policy is good: ${[size, found].filter((part) => part !== '').join('; ')}`,
      );
    });
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
