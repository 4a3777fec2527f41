import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { endChild } from '../support/children.js';

/** A program in another language, ready to run: what to start, with which arguments. */
export type Program = readonly [command: string, ...args: string[]];

/** Runs a program that reads a plan from stdin and prints a line of JSON for each step; each is a test, and all must have passed. */
export async function passSteps(
  t: TestContext,
  [command, ...args]: Program,
  plan: object,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const child = spawn(command, args, { stdio: 'pipe', env });
  t.after(() => endChild(child));
  child.stdin.end(JSON.stringify(plan));
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  const lines = output.split('\n').filter(Boolean);
  for (const line of lines) {
    const { step, error } = JSON.parse(line) as { step: string; error?: string };
    await t.test(step, () => assert.equal(error, undefined));
  }
  assert.deepEqual({ errors, code }, { errors: '', code: 0 });
  assert.ok(lines.length > 0, 'the program made no step');
}
