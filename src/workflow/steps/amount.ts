/** `amount`: how many. Left out it is 1; null is refused, for it is a missing value and not a decision. */
import { CffbrwError } from '../../error.ts';
import type { Inputs, StepContext } from './verb.ts';

export function amountOf(inputs: Inputs): number {
  if (!('amount' in inputs)) return 1;
  const { amount } = inputs;
  if (typeof amount === 'number') return amount;
  const found = amount === null ? 'null' : `a ${typeof amount}`;
  throw new CffbrwError('INVALID_NUMBER', `the amount is ${found}, not a number`, {
    fix: 'Make sure that it has a value: require it in the schema of the request, or give one with `??`.',
  });
}

export function checkAmount(
  amount: number | string | undefined,
  context: StepContext,
  ...inside: readonly (string | number)[]
): void {
  const wrong = typeof amount === 'string' ? !amount.includes('$' + '{') : amount !== undefined && !Number.isSafeInteger(amount);
  if (wrong)
    context.refuse(
      `\`amount\` must be an integer, and \`${amount}\` is none.`,
      'Write a number, or a template that gives one.',
      ...inside,
      'amount',
    );
}
