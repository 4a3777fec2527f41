import type { Clock } from '../base/clock.js';
import type { Diagnostic } from '../base/diagnostics/diagnostic.js';
import { countDiagnostics } from '../base/diagnostics/render.js';
import { Fault, fault } from '../base/faults/fault.js';
import { placeOf } from '../base/source.js';
import { type CheckedFilter, httpFilter } from '../envoy/rbac/http-filter.js';
import { type CheckedPolicy, checkPolicy } from '../policy/check-policy.js';
import type { PolicyFile } from '../policy/language/policy-file.js';
import type { SpiffeId } from '../spiffe/id.js';
import type { Log } from '../telemetry/log.js';

/** The policy in force, and what is wrong with the one that would replace it. */
export interface PolicyState {
  /** The last good policy; `undefined` until there was one in this life. */
  current(): PolicyInForce | undefined;
  /** Why the newest contents of the folder are not in force; `undefined` when they are. */
  refusal(): Refusal | undefined;
  /** Calls `listener` after every change of the filters, until the returned function is called. */
  onChange(listener: () => void): () => void;
  /** New contents of the folder: taken as a whole, or refused as a whole. */
  offer(files: readonly PolicyFile[]): void;
  /** The folder could not be read. */
  refuse(problem: Fault): void;
  close(): void;
}

export interface PolicyInForce extends CheckedPolicy {
  /** By service. A filter that did not change is the same object as before. */
  readonly filters: ReadonlyMap<string, ServiceFilter>;
}

export interface ServiceFilter {
  readonly identity: SpiffeId;
  readonly filter: CheckedFilter;
}

export interface Refusal {
  readonly problem: Fault;
  readonly diagnostics: readonly Diagnostic[];
}

export interface PolicyStateOptions {
  /** For messages. */
  folder: string;
  clock: Clock;
  log: Log;
}

export function createPolicyState({ folder, clock, log }: PolicyStateOptions): PolicyState {
  let current: PolicyInForce | undefined;
  let refusal: Refusal | undefined;
  let timer: NodeJS.Timeout | undefined;
  const listeners = new Set<() => void>();

  const refuse = (problem: Fault, diagnostics: readonly Diagnostic[] = []): void => {
    refusal = { problem, diagnostics };
    const sentence = current
      ? 'policy refused, the last good one stays'
      : 'policy refused, there is none in force';
    log.error({ error: problem, found: diagnostics.slice(0, 20).map(asFields) }, sentence);
  };

  const putInForce = (checked: CheckedPolicy): void => {
    const now = clock.now();
    const filters = compileAll(checked, now, current?.filters);
    const { changed, removed } = difference(current?.filters, filters);
    current = { ...checked, filters };
    clearTimeout(timer);
    timer = setTimeout(() => putInForce(checked), untilNextEnd(checked, now));
    log.info({ services: filters.size, changed, removed }, 'policy in force');
    if (changed.length + removed.length > 0) for (const listener of [...listeners]) listener();
  };

  return {
    current: () => current,
    refusal: () => refusal,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    offer: (files) => {
      // No file is more likely a mistake than a wish to allow nothing.
      if (files.length === 0) return refuse(fault('CTL0102', { folder }));
      try {
        const { checked, diagnostics } = checkPolicy(files, clock.now());
        if (!checked) return refuse(refused(folder, diagnostics), diagnostics);
        putInForce(checked);
        refusal = undefined;
      } catch (cause) {
        // Whatever a file makes go wrong, also in ourselves: nobody's policy may stop the server.
        refuse(cause instanceof Fault ? cause : fault('CTL0202', { folder }, { cause }));
      }
    },
    refuse,
    close: () => {
      clearTimeout(timer);
      listeners.clear();
    },
  };
}

/** A service whose filter did not change keeps the very object, so that nothing is sent again. */
function compileAll(
  { policy, diagrams }: CheckedPolicy,
  now: number,
  before: ReadonlyMap<string, ServiceFilter> | undefined,
): Map<string, ServiceFilter> {
  const filters = new Map<string, ServiceFilter>();
  for (const [name, diagram] of diagrams) {
    const identity = policy.services.get(name)?.identity;
    if (identity === undefined) continue;
    const made = { identity, filter: httpFilter(diagram, identity, now) };
    const known = before?.get(name);
    const isSame = known?.identity === identity && known.filter.version === made.filter.version;
    filters.set(name, isSame ? known : made);
  }
  return filters;
}

function difference(
  before: ReadonlyMap<string, ServiceFilter> = new Map(),
  after: ReadonlyMap<string, ServiceFilter>,
): { changed: string[]; removed: string[] } {
  return {
    changed: [...after.keys()].filter((name) => before.get(name) !== after.get(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
  };
}

/** What a timer of Node can wait at most; then the policy is looked at once more. */
const longestTimer = 2 ** 31 - 1;

/** Milliseconds until the next allow ends: then its part of the tree can go. Envoy ends it by itself all the same. */
function untilNextEnd({ policy }: CheckedPolicy, now: number): number {
  const ends = policy.rules.flatMap(({ effect, until }) => (effect === 'allow' && until ? [until.ms] : []));
  return Math.min(longestTimer, ...ends.filter((end) => end > now).map((end) => end - now));
}

function refused(folder: string, diagnostics: readonly Diagnostic[]): Fault {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (!first) throw new Error('a policy without errors was refused');
  const { code, at, message } = first;
  return fault('CTL0201', { folder, count: countDiagnostics(errors), code, place: placeOf(at), message });
}

function asFields({ code, message, at }: Diagnostic): { code: string; place: string; message: string } {
  return { code, place: placeOf(at), message };
}
