/** Registers that are written at most once, wherever they are kept. */
import { CffbrwError, invariant } from '../../error.ts';
import type { Ledger } from '../ledger.ts';
import type { Branch } from './branch.ts';

/** The register, created with `create()` if it does not exist. `created`: by this call. Rejects with UNREACHABLE. */
export async function lookUp(
  branch: Branch,
  name: string,
  create: () => string,
): Promise<{ readonly register: { readonly value: string | null }; readonly created: boolean }> {
  const { local } = branch;
  if (local === null) {
    const there = await registersOf(branch).get(name);
    if (there.value !== null) return { register: there, created: false };
    const { done, register } = await registersOf(branch).compareAndSet(name, create(), there.revision);
    return { register, created: done };
  }
  for (;;) {
    await local.get(name);
    const there = local.peek(name);
    if (there === undefined) continue;
    if (there.value !== null) return { register: there, created: false };
    local.put(name, create());
    return { register: local.peek(name) ?? there, created: true };
  }
}

export function registersOf({ ledger }: Branch): NonNullable<Ledger['registers']> {
  invariant(ledger.registers !== null, 'N3', 'a local bank has no registers elsewhere');
  return ledger.registers;
}

/** The backbone is not the one that this replica has joined, or not whole. */
export const isRecovering = (error: unknown): boolean => error instanceof CffbrwError && error.code === 'RECOVERING';

export const isUnreachable = (error: unknown): boolean => error instanceof CffbrwError && error.code === 'UNREACHABLE';

/** As the error that a caller further out turns into the refusal again. */
export const errorOf = (reason: 'unreachable' | 'recovering'): CffbrwError =>
  reason === 'recovering' ? recoveringError() : new CffbrwError('UNREACHABLE', 'the backbone is out of reach');

/** Of what was begun and is finished later: nobody may think that nothing was done. */
export const unknownOutcome = (cause: unknown): CffbrwError =>
  new CffbrwError('STORE_FAILED', 'it could not be written here what became of it', {
    fix: 'Ask again with the same key or receipt.',
    cause,
  });

export const recoveringError = (): CffbrwError =>
  new CffbrwError('RECOVERING', 'not everybody has written again what the backbone lost', {
    fix: 'Retry later: it is over once every replica that has not retired has adopted the backbone.',
  });
