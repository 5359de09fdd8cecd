/** `cffbrw vars set`, `add`, `take` …: one command per operation, from a table. */
import type { CommandDef } from 'citty';
import type { Json } from '../../strategy/json.ts';
import { command, durationMs, UsageError } from '../command.ts';
import { keyArgs, keyOf, name, parseJson, print, type Where, where, within } from './vars-where.ts';

interface OperationSpec {
  readonly description: string;
  readonly examples: readonly string[];
  /** What stands after the variable's name. */
  readonly operand: 'value' | 'amount' | 'path' | 'receipt' | null;
  readonly more?: 'with' | 'take';
}

const operations: Readonly<Record<string, OperationSpec>> = {
  set: {
    operand: 'value',
    description: 'Sets a value.',
    examples: ['cffbrw vars set banner \'{"open":false}\'', 'cffbrw vars set theme \'"dark"\' --key ann'],
  },
  merge: {
    operand: 'value',
    description: 'Merges fields into an object.',
    examples: ['cffbrw vars merge profile \'{"city":"Hue"}\' --key ann'],
  },
  replace: {
    operand: 'value',
    description: 'Replaces an object.',
    examples: ['cffbrw vars replace profile \'{"name":"Ann"}\' --key ann'],
  },
  raise: {
    operand: 'value',
    more: 'with',
    description: 'Offers a higher value.',
    examples: ['cffbrw vars raise bid 120 --with \'{"user":"ann"}\' --key-json 7'],
  },
  lower: {
    operand: 'value',
    more: 'with',
    description: 'Offers a lower value.',
    examples: ['cffbrw vars lower lap 61.5', 'cffbrw vars lower depth --value=-3'],
  },
  add: {
    operand: 'amount',
    description: 'Adds to a sum; 1 when no amount is given.',
    examples: ['cffbrw vars add visits', 'cffbrw vars add visits 5', 'cffbrw vars add visits --value=-5'],
  },
  unset: {
    operand: 'path',
    description: 'Removes a value, or the part of an object at a path.',
    examples: ['cffbrw vars unset banner', 'cffbrw vars unset profile /city --key ann'],
  },
  reset: { operand: null, description: 'Back to the initial value.', examples: ['cffbrw vars reset visits'] },
  take: {
    operand: 'amount',
    more: 'take',
    description: 'Takes units of a stock; exit code 1 when there are none.',
    examples: ['cffbrw vars take vouchers', 'cffbrw vars take vouchers 2 --once ann', 'cffbrw vars take seats --hold 10m'],
  },
  give: { operand: 'receipt', description: 'Gives back what was taken.', examples: ['cffbrw vars give vouchers <receipt>'] },
  confirm: { operand: 'receipt', description: 'Keeps what was held.', examples: ['cffbrw vars confirm seats <receipt>'] },
  mint: { operand: 'amount', description: 'Puts new units into a stock.', examples: ['cffbrw vars mint vouchers 10'] },
  burn: {
    operand: 'amount',
    description: 'Takes free units out of a stock for good.',
    examples: ['cffbrw vars burn vouchers 10'],
  },
};

const operandTexts = {
  value: 'The value, as JSON',
  amount: 'How many; default 1',
  path: 'A path in the object: /city',
  receipt: 'The receipt of the take',
} as const;

function operationCommand(operation: string, { description, examples, operand, more }: OperationSpec): CommandDef {
  return command({
    name: `vars ${operation}`,
    description,
    examples,
    args: {
      name,
      ...(operand !== null && {
        operand: { type: 'positional', required: false, description: operandTexts[operand], valueHint: operand } as const,
      }),
      ...(operand === 'value' || operand === 'amount'
        ? {
            value: {
              type: 'string',
              description: 'The same, for what begins with a minus: --value=-5',
              valueHint: 'json',
            } as const,
          }
        : {}),
      ...(more === 'with' && {
        with: { type: 'string', description: 'What comes with the value, as JSON', valueHint: 'json' } as const,
      }),
      ...(more === 'take' && {
        once: { type: 'string', description: 'At most one live grant per key, anywhere', valueHint: 'text' } as const,
        hold: { type: 'string', description: 'Hold them for so long, unless confirmed', valueHint: 'duration' } as const,
      }),
      ...(operand === 'receipt' ? {} : keyArgs),
      ...where,
    },
    async run(given) {
      const args = given as unknown as OperationArgs;
      const done = await within(args, false, (source) => source.operate(args.name, operation, inputOf(operand, args)));
      const { value, result } = done as { readonly value: Json; readonly result?: { readonly ok?: boolean } };
      print(args.json ? done : (result ?? value));
      return result?.ok === false ? 1 : 0;
    },
  });
}

interface OperationArgs extends Where {
  readonly name: string;
  readonly operand?: string;
  readonly value?: string;
  readonly with?: string;
  readonly once?: string;
  readonly hold?: string;
  readonly key?: string;
  readonly 'key-json'?: string;
  readonly json?: boolean;
}

function inputOf(operand: OperationSpec['operand'], args: OperationArgs): Readonly<Record<string, unknown>> {
  const key = keyOf(args);
  const text = args.value ?? args.operand;
  if (args.value !== undefined && args.operand !== undefined)
    throw new UsageError('The value stands there twice: once is enough.');
  if (text === undefined && (operand === 'value' || operand === 'receipt'))
    throw new UsageError(`${operandTexts[operand]}, is missing. See --help.`);
  const parsed = text === undefined || operand === 'path' || operand === 'receipt' ? text : parseJson(text, `The ${operand}`);
  return {
    ...(operand !== null && parsed !== undefined && { [operand]: parsed }),
    ...(key !== undefined && { key }),
    ...(args.with !== undefined && { with: parseJson(args.with, '--with') }),
    ...(args.once !== undefined && { once: args.once }),
    ...(args.hold !== undefined && { holdMs: durationMs(args.hold, 'hold') }),
  };
}

export const operationCommands: Readonly<Record<string, CommandDef>> = Object.fromEntries(
  Object.entries(operations).map(([operation, spec]) => [operation, operationCommand(operation, spec)]),
);
