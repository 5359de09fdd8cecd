/**
 * What the strategies have in common when they check operations from documents and rows from other machines.
 *
 * A row may be hostile: everything in it is looked at, copied, and bounded. Fields that no version of a row has are left out.
 */
import type { Stamp } from '../clock.ts';
import { CffbrwError } from '../error.ts';
import { describe, forbiddenKeys, isObject } from './json.ts';
import type { StrategyName } from './names.ts';
import type { Operation, OperationName } from './strategy.ts';

export type OperationInput = Operation & Readonly<Record<string, unknown>>;

/** The refusal of an operation that a strategy does not have: it names those that it has. */
export function wrongOperation(strategy: StrategyName, operation: unknown, known: readonly OperationName[]): CffbrwError {
  return new CffbrwError('WRONG_OPERATION', `${strategy} has no operation "${String(operation).slice(0, 40)}"`, {
    fix: `It has ${known.join(', ')}; for another one declare another strategy.`,
  });
}

const maxReplicas = 10_000;
const maxReplicaIdLength = 200;
/** The last instant that a Date can hold. */
const maxTimeMs = 8.64e15;

export const refuseRow = (what: string): CffbrwError =>
  new CffbrwError('INVALID_VALUE', `a row is not one of ours: ${what}`, {
    fix: 'Look for a replica of another version, or one that somebody tampered with.',
  });

export function rowObject(value: unknown, what = 'it'): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw refuseRow(`${what} is ${describe(value)}, not an object`);
  return value;
}

/** A safe integer, 0 or more. */
export function rowCount(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw refuseRow(`${what} is no count`);
  return value === 0 ? 0 : (value as number);
}

export function rowInteger(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) throw refuseRow(`${what} is no integer within ±(2^53−1)`);
  return value === 0 ? 0 : (value as number);
}

export function rowStamp(value: unknown, what = 'its stamp'): Stamp {
  if (!Array.isArray(value) || value.length !== 2) throw refuseRow(`${what} is no stamp`);
  const timeMs = rowCount(value[0], `${what}'s time`);
  if (timeMs > maxTimeMs) throw refuseRow(`${what} lies beyond the end of time`);
  return [timeMs, rowCount(value[1], `${what}'s counter`)];
}

/** A map from replica ids. */
export function rowReplicas<Part>(
  value: unknown,
  what: string,
  parse: (part: unknown, what: string) => Part,
): Readonly<Record<string, Part>> {
  const parts = Object.entries(rowObject(value, what));
  if (parts.length > maxReplicas) throw refuseRow(`${what} names ${parts.length} replicas`);
  const result: Record<string, Part> = {};
  for (const [replica, part] of parts) {
    if (replica === '' || replica.length > maxReplicaIdLength || forbiddenKeys.has(replica))
      throw refuseRow(`${what} names no replica`);
    result[replica] = parse(part, what);
  }
  return result;
}
