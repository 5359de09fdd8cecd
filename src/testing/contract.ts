/** What the contract suites are made of: cases without a test framework. A case throws when the contract is broken. */

export interface Case<Subject> {
  /** A sentence that is true of every implementation. */
  readonly title: string;
  run(subject: Subject): Promise<void>;
}

/** What a case throws. */
export class ContractBroken extends Error {
  override readonly name = 'ContractBroken';
}

const shown = (value: unknown): string => JSON.stringify(value) ?? 'undefined';

/** Compares plain data, the order of lists included. */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (shown(actual) === shown(expected)) return;
  throw new ContractBroken(`${what}: expected ${shown(expected).slice(0, 500)}, got ${shown(actual).slice(0, 500)}`);
}

/** Resolves with what the promise is refused with. Throws when it is not refused, or without a `code`. */
export async function refusedWith(promise: Promise<unknown>, code: string, what: string): Promise<void> {
  const result = await promise.then(
    () => 'it was not refused',
    (error: { code?: unknown }) => error.code,
  );
  same(result, code, what);
}
