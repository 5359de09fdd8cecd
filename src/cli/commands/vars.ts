/** `cffbrw vars`: the variables of an app that runs, or of the data of one that is stopped. */
import { type CommandDef, defineCommand } from 'citty';
import type { Key } from '../../strategy/address.ts';
import { command, wholeNumber } from '../command.ts';
import { exporting, importing } from './vars-files.ts';
import { keysOf } from './vars-lines.ts';
import { operationCommands } from './vars-operations.ts';
import type { VariableFacts } from './vars-source.ts';
import { keyArgs, keyOf, name, print, where, windowArg, windowOf, within } from './vars-where.ts';

const list = command({
  name: 'vars list',
  description: 'The variables of the app, as declared.',
  examples: ['cffbrw vars list', 'cffbrw vars list --json', 'cffbrw vars list --data data'],
  args: where,
  async run(args) {
    const variables = await within(args, false, (source) => source.list());
    if (args.json) print(variables);
    else for (const facts of variables) console.log(describe(facts));
    return 0;
  },
});

const describe = ({ name: called, strategy, keyed, window }: VariableFacts): string =>
  [called.padEnd(20), strategy.padEnd(16), keyed ? 'keyed' : '     ', window ? `every ${window.every}, ${window.timezone}` : '']
    .join('  ')
    .trimEnd();

const get = command({
  name: 'vars get',
  description: 'The value of a variable, as known where it is asked.',
  examples: [
    'cffbrw vars get banner',
    'cffbrw vars get profile --key ann',
    'cffbrw vars get cart --key-json \'["s1",7]\'',
    'cffbrw vars get spins --window previous --rows --json',
  ],
  args: {
    name,
    ...keyArgs,
    window: windowArg,
    rows: { type: 'boolean', description: 'Each replica’s row, too (with --json)' },
    ...where,
  },
  async run(args) {
    const query = { key: keyOf(args), window: windowOf(args.window), rows: args.rows === true };
    const found = await within(args, false, (source) => source.get(args.name, query));
    print(args.json ? found : found.value);
    return 0;
  },
});

const keys = command({
  name: 'vars keys',
  description: 'The keys that have a value, sorted, one per line: text as it is, others as JSON.',
  examples: ['cffbrw vars keys profile', 'cffbrw vars keys profile --prefix a --limit 10', 'cffbrw vars keys profile --json'],
  args: {
    name,
    prefix: { type: 'string', description: 'Only text that begins so', valueHint: 'text' },
    limit: { type: 'string', description: 'At most so many; default all', valueHint: 'number' },
    window: windowArg,
    ...where,
  },
  async run(args) {
    const limit =
      args.limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber(args.limit, 'limit', { from: 1, to: 1_000_000_000 });
    const found: Key[] = [];
    await within(args, false, async (source) => {
      const facts = (await source.list()).find((one) => one.name === args.name);
      // What is not declared, or not keyed, is refused by the app, in its own words.
      if (facts?.keyed !== true) await source.keys(args.name, {});
      else
        for await (const key of keysOf(source, facts, windowOf(args.window), args.prefix)) {
          if (found.length >= limit) break;
          if (key !== null) found.push(key);
        }
    });
    if (args.json) print(found);
    else for (const key of found) console.log(typeof key === 'string' ? key : JSON.stringify(key));
    return 0;
  },
});

export const varsCommands: Readonly<Record<string, CommandDef>> = {
  ...{ list, get, keys },
  ...operationCommands,
  export: exporting,
  import: importing,
};

export const vars: CommandDef = defineCommand({
  meta: {
    name: 'vars',
    description: 'Reads and writes the variables of an app: list, get, keys, set, add, take, export, import…',
  },
  subCommands: { ...varsCommands },
});
