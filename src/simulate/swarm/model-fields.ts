/** The model of a merged object whose every field is written once: what no removal had seen is there, what one had seen is not. */
import type { Json } from '../../strategy/index.ts';
import { lose, mayCount, mustCount, type Removal, type Write, wasUnseen } from './writes.ts';

export interface Drop extends Removal {
  /** One field, or all: null. */
  readonly field: string | null;
  /** What its replica showed right before it. */
  readonly seen: ReadonlySet<string>;
}

export interface FieldsModel {
  merge(write: Write, field: string): Write;
  drop(drop: Drop): Drop;
  lose(machine: string, fromMs: number): void;
  /** Why this value can't be, at rest; null: it can. */
  judge(value: Json): string | null;
}

export const fieldOf = (id: number): string => `f${id}`;

export function createFieldsModel(travelMs: number): FieldsModel {
  const merges = new Map<string, Write>();
  const drops: Drop[] = [];
  const concerns = (drop: Drop, field: string) => drop.field === null || drop.field === field;

  function judgeField(field: string, write: Write, isThere: boolean): string | null {
    const against = drops.filter((drop) => concerns(drop, field));
    const must = mustCount(write) && against.every((drop) => !mayCount(drop) || wasUnseen(write, drop, travelMs));
    if (must && !isThere)
      return `the field ${field} of ${write.machine} was acknowledged, no removal had seen it, and it is gone`;
    if (isThere && !mayCount(write)) return `the field ${field} was refused, and is there`;
    const remover = against.find((drop) => mustCount(drop) && drop.seen.has(field));
    return isThere && remover !== undefined
      ? `${remover.machine} removed the field ${field}, which it had seen, and it is there`
      : null;
  }
  return {
    merge(write, field) {
      merges.set(field, write);
      return write;
    },
    drop(drop) {
      drops.push(drop);
      return drop;
    },
    lose(machine, fromMs) {
      lose(merges.values(), machine, fromMs);
      lose(drops, machine, fromMs);
    },
    judge(value) {
      const fields = new Set(Object.keys((value ?? {}) as object));
      for (const [field, write] of merges) {
        const problem = judgeField(field, write, fields.has(field));
        if (problem !== null) return problem;
        fields.delete(field);
      }
      return fields.size === 0 ? null : `nobody wrote the fields ${[...fields].join(', ')}`;
    },
  };
}
