/** What `check` says: a finding, its rule, its place, a story of two users, and a fix that can be pasted. Plain data. */
import type { Place } from '../error.ts';

/** Every rule, with its name and whether what it finds stops a deploy. R0 is about waivers: one that waives nothing, or says no reason. */
export const rules = {
  R0: { name: 'idle-ignore', blocks: false },
  R1: { name: 'lost-update', blocks: true },
  R2: { name: 'check-then-act', blocks: true },
  R3: { name: 'stale-decision', blocks: false },
  R4: { name: 'many-writers', blocks: false },
  R5: { name: 'branch-conflict', blocks: true },
  R6: { name: 'unchecked-take', blocks: true },
  R7: { name: 'wrong-operation', blocks: true },
  R8: { name: 'unsafe-retry', blocks: false },
  R9: { name: 'secret-leak', blocks: true },
  R10: { name: 'implicit-default', blocks: false },
} as const satisfies Record<`R${number}`, { readonly name: string; readonly blocks: boolean }>;

export type RuleId = keyof typeof rules;

/** Replaces the text from `place` up to but not including `end` (the same place: inserts) with `paste`. */
export interface Edit {
  readonly place: Place;
  readonly end: Place;
  readonly paste: string;
}

export interface Fix {
  /** What to do, in a sentence or two. */
  readonly summary: string;
  /** The same as text to paste; all of them together make the finding go away. Empty where only an author can know the text. */
  readonly edits: readonly Edit[];
}

/** Something else that the finding is about: the read or the guard that it races with, another writer. */
export interface Related {
  readonly place: Place;
  readonly message: string;
}

export interface Finding {
  readonly rule: RuleId;
  readonly name: (typeof rules)[RuleId]['name'];
  readonly blocks: boolean;
  /** Null: it is about a declaration in `cffbrw.yaml`. */
  readonly workflow: string | null;
  readonly place: Place;
  /** The part of the document that it is about: `steps[3].then[0]`, `variables.banner`. */
  readonly path: string;
  /** What goes wrong when two users come at the same time: one or two sentences. */
  readonly story: string;
  readonly fix: Fix;
  readonly related: readonly Related[];
}

/** By file, line and column; at one place by rule. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort(
    (one, other) => comparePlaces(one.place, other.place) || ruleNumber(one.rule) - ruleNumber(other.rule),
  );
}

const ruleNumber = (rule: RuleId): number => Number(rule.slice(1));

function comparePlaces(one: Place, other: Place): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return one.line - other.line || one.column - other.column;
}
