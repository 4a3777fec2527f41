import { placeOf, type SourceFile } from '../base/source.js';
import { type LoadedEntries, loadEntries } from '../registration/entries-file.js';
import type { Entry } from '../registration/entry.js';
import { entryChanges } from '../registration/entry-changes.js';
import type { IdentifiedContent } from '../registration/plan.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { Log } from '../telemetry/log.js';
import {
  type AppliedEntries,
  type ApplyContext,
  applyEntries,
  type GoodEntries,
  logApplied,
} from './apply-entries.js';

/**
 * Keeps the entries in step with files of a folder. They are created and updated whenever the files change, and once at the
 * start; what somebody changes in between is logged and left, and nothing is ever deleted.
 */
export interface EntriesFolder {
  /** All files of entries as they are now. With a mistake in them nothing is changed. */
  offer(files: readonly SourceFile[]): void;
  /** Writes what is due, again if it failed, and looks for entries that somebody changed. To be called again and again. */
  keepUp(): Promise<void>;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

export interface EntriesFolderOptions extends ApplyContext {
  readonly trustDomain: TrustDomain;
  readonly log: Log;
}

export function createEntriesFolder(options: EntriesFolderOptions): EntriesFolder {
  const { trustDomain, log } = options;
  const keeper = new Keeper(options, log);
  return {
    offer: (files) => {
      const { entries, prefixes, diagnostics } = loadSafely(files, trustDomain, log);
      if (entries) return keeper.want({ entries, prefixes });
      for (const { code, message, at } of diagnostics) log.error({ code, place: placeOf(at) }, message);
      log.error(
        { mistakes: diagnostics.length },
        'the files of entries have mistakes, so no entry was changed',
      );
    },
    keepUp: () => keeper.keepUp(),
    close: () => keeper.close(),
  };
}

/** Whatever a file makes go wrong, also in ourselves: nobody's file may stop the server. */
function loadSafely(files: readonly SourceFile[], trustDomain: TrustDomain, log: Log): LoadedEntries {
  try {
    return loadEntries(files, trustDomain);
  } catch (error) {
    log.error({ error }, 'reading the files of entries failed for a reason that is a bug');
    return { entries: undefined, prefixes: [], diagnostics: [] };
  }
}

class Keeper {
  private readonly context: ApplyContext;
  private readonly log: Log;
  private readonly stopListening: (() => void)[];
  /** Of all owners that the files ever spoke for: what the last file of an owner leaves behind is seen too. */
  private readonly prefixes = new Set<string>();
  private wanted: GoodEntries = { entries: [], prefixes: [] };
  /** Whether the files say something that is not in force, as far as can be known. */
  private isDue = false;
  private inForce = new Map<string, IdentifiedContent>();
  /** IDs of entries that somebody wrote since drift was looked for. */
  private readonly written = new Set<string>();
  private running: Promise<void> | undefined;
  private lastRefusals = '';
  /** When what was refused is tried again, by `performance.now()`. */
  private retryAt = 0;
  /** IDs of entries that are not as the files say. */
  private readonly drifted = new Set<string>();

  constructor(context: ApplyContext, log: Log) {
    this.context = context;
    this.log = log;
    this.stopListening = [
      context.registry.onChange(({ entries }) => {
        for (const { before, after } of entries) {
          this.written.add((after ?? before).id);
        }
      }),
      // Entries that were to federate may now.
      context.federatedBundles.onChange(() => {
        this.retryAt = 0;
      }),
    ];
  }

  want({ entries, prefixes }: GoodEntries): void {
    for (const prefix of prefixes) this.prefixes.add(prefix);
    const contents = (of: GoodEntries) => JSON.stringify(of.entries.map(({ content }) => content));
    const before = this.wanted;
    this.wanted = { entries, prefixes: [...this.prefixes] };
    if (contents(before) === contents(this.wanted)) return;
    this.isDue = true;
    this.lastRefusals = '';
    // A failure is told by `keepUp`, which tries again.
    this.keepUp().catch(() => {});
  }

  /** One at a time; who calls while it runs waits for what runs. */
  keepUp(): Promise<void> {
    this.running ??= this.round().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  async close(): Promise<void> {
    for (const stop of this.stopListening) stop();
    // Nobody is left to tell of a failure.
    await this.running?.catch(() => {});
  }

  private async round(): Promise<void> {
    if (this.lastRefusals !== '' && performance.now() >= this.retryAt) this.isDue = true;
    while (this.isDue) await this.apply();
    this.lookForDrift();
  }

  private async apply(): Promise<void> {
    const { wanted } = this;
    const applied = await applyEntries(wanted, this.context);
    this.inForce = new Map(inForceAfter(applied).map((content) => [content.id, content]));
    this.drifted.clear();
    if (this.wanted === wanted) this.isDue = false;
    const refusals = applied.refusals
      .map(({ content, problem }) => `${content.id} ${problem.message}`)
      .join();
    if (refusals === '' || refusals !== this.lastRefusals) logApplied(applied, wanted.entries, this.log);
    this.lastRefusals = refusals;
    this.retryAt = performance.now() + retryMs;
  }

  /** Logs once of each entry that it is not as the files say, and once that it is again. */
  private lookForDrift(): void {
    for (const id of this.written) {
      const content = this.inForce.get(id);
      if (content) this.compare(content, this.context.registry.entry(id));
    }
    this.written.clear();
  }

  private compare(content: IdentifiedContent, present: Entry | undefined): void {
    const entry = content.id;
    const changes = present ? entryChanges(content, present) : [];
    if (present && changes.length === 0) {
      if (this.drifted.delete(entry)) this.log.info({ entry }, 'an entry is again as the files say');
      return;
    }
    this.drifted.add(entry);
    if (present) this.log.warn({ entry, changes }, 'an entry of the files was changed by somebody');
    else this.log.warn({ entry }, 'an entry of the files was deleted by somebody');
  }
}

/** Milliseconds. */
const retryMs = 30_000;

/** What is wanted and was not refused, under the ID of the entry that says it now. */
function inForceAfter({ plan, refusals }: AppliedEntries): IdentifiedContent[] {
  const refused = new Set(refusals.map(({ content }) => content.id));
  const updated = plan.update.flatMap(({ present, wanted }) =>
    refused.has(wanted.id) ? [] : [{ ...wanted, id: present.id }],
  );
  return [...plan.create.filter(({ id }) => !refused.has(id)), ...plan.unchanged, ...updated];
}
