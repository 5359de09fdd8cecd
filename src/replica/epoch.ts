/**
 * Registers of one backbone identity. A backbone that was restored, emptied or replaced shows another one, and what its registers say is
 * then not what they said: nothing is concluded from it, and nothing is written to it, before this replica has joined it.
 */
import type { Register, Registers } from '../backbone/backbone.ts';
import { CffbrwError } from '../error.ts';

/** `epoch()`: the identity that this replica has joined; null: none yet. Their calls reject with `strange` where it is another one. */
export function registersIn(
  registers: Registers,
  epoch: () => string | null,
  strange: (identity: string) => CffbrwError = strangeBackbone,
): Registers {
  const checked = ({ identity }: Register): void => {
    if (identity !== epoch()) throw strange(identity);
  };
  return {
    async get(name) {
      const register = await registers.get(name);
      checked(register);
      return register;
    },
    async compareAndSet(name, value, revision) {
      const outcome = await registers.compareAndSet(name, value, revision);
      checked(outcome.register);
      return outcome;
    },
  };
}

const strangeBackbone = (identity: string): CffbrwError =>
  new CffbrwError('RECOVERING', `this replica has not joined the backbone "${identity}"`, {
    fix: 'Retry later. If the backbone was restored, an operator tells each replica to adopt it.',
  });
