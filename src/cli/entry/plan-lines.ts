import { visible } from '../../base/visible.js';
import type { FieldChange, FieldValue } from '../../registration/entry-changes.js';
import { prefixOf } from '../../registration/ownership.js';
import type { EntryPlan, EntryUpdate } from '../../registration/plan.js';
import { instant } from '../times.js';
import type { Voice } from '../voice.js';

/** One thing that an apply does or would do, for people and for programs. */
export interface Step {
  /** `keep`: no file has it any more, and nobody asked to delete it. */
  readonly action: 'create' | 'update' | 'delete' | 'keep' | 'refuse';
  readonly id: string;
  readonly spiffeId: string;
  /** What differs, field by field; only of an update. */
  readonly changes: readonly FieldChange[];
  /** Whether an entry that no file made is now kept by one. */
  readonly takenOver: boolean;
}

/** The steps of a plan in the order in which they are done: nothing is deleted before what follows it is there. */
export function stepsOf(plan: EntryPlan, prune: boolean): Step[] {
  const plain = { changes: [], takenOver: false };
  const updateOf = (action: 'update' | 'refuse', { present, changes }: EntryUpdate): Step => ({
    action,
    id: present.id,
    spiffeId: present.spiffeId,
    changes,
    takenOver: action === 'update' && prefixOf(present.id) === undefined,
  });
  return [
    ...plan.update.map((update) => updateOf('update', update)),
    ...plan.create.map(({ id, spiffeId }): Step => ({ action: 'create', id, spiffeId, ...plain })),
    ...plan.conflicts.map((conflict) => updateOf('refuse', conflict)),
    ...plan.surplus.map(
      ({ id, spiffeId }): Step => ({ action: prune ? 'delete' : 'keep', id, spiffeId, ...plain }),
    ),
  ];
}

/** `+ created`, `~ updated` with what changes field by field, `- deleted`. */
export function stepLines(voice: Voice, { action, id, spiffeId, changes, takenOver }: Step): string[] {
  const [sign, tone] = signs[action];
  const note = takenOver ? ', made by hand until now' : '';
  return [
    `${voice.paint(tone, sign)} ${visible(spiffeId)} (${visible(id)}${note})`,
    ...changes.map((change) => `    ${change.field}: ${visible(changeText(change))}`),
  ];
}

const signs = {
  create: ['+', 'good'],
  update: ['~', 'warning'],
  refuse: ['~', 'warning'],
  delete: ['-', 'bad'],
  keep: ['-', 'faint'],
} as const;

function changeText({ field, from, to }: FieldChange): string {
  if (typeof from !== 'object' || typeof to !== 'object')
    return `${valueText(field, from)} -> ${valueText(field, to)}`;
  const gone = from.filter((item) => !to.includes(item)).map((item) => `-${item}`);
  const added = to.filter((item) => !from.includes(item)).map((item) => `+${item}`);
  // What differs in order only.
  if (gone.length + added.length === 0) return `${from.join(' ')} -> ${to.join(' ')}`;
  return [...gone, ...added].join(' ');
}

function valueText(field: FieldChange['field'], value: FieldValue): string {
  if (field === 'expiresAt') return instant(Number(value)) ?? 'never';
  if (field === 'x509SvidTtl' || field === 'jwtSvidTtl') return value === 0 ? 'default' : `${value}s`;
  return value === '' ? 'none' : String(value);
}
