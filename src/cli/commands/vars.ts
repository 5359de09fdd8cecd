/** `cffbrw vars`: the variables of an app that runs, or of the data of one that is stopped. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { type ArgsDef, type CommandDef, defineCommand } from 'citty';
import type { Key } from '../../strategy/address.ts';
import type { Json } from '../../strategy/json.ts';
import { command, durationMs, UsageError, wholeNumber } from '../command.ts';
import { exportLines, importLines, keysOf, parseLines } from './vars-lines.ts';
import {
  createAsk,
  localVariables,
  remoteVariables,
  type VariableFacts,
  type VariableSource,
  type WindowName,
} from './vars-source.ts';

const where = {
  url: {
    type: 'string',
    default: 'http://127.0.0.1:3000',
    description: 'Where the app answers; its token is in CFFBRW_TOKEN',
    valueHint: 'address',
  },
  data: { type: 'string', description: 'The data of an app that is stopped, instead of one that runs', valueHint: 'directory' },
  dir: { type: 'string', default: '.', description: 'With --data: the directory with cffbrw.yaml', valueHint: 'directory' },
  json: { type: 'boolean', description: 'Print JSON' },
} as const satisfies ArgsDef;

const name = { type: 'positional', required: true, description: 'The name of the variable' } as const;
const keyArgs = {
  key: { type: 'string', description: 'A key that is text', valueHint: 'text' },
  'key-json': { type: 'string', description: 'A key that is an integer or a list: 42, ["cart",7]', valueHint: 'json' },
} as const satisfies ArgsDef;
const windowArg = { type: 'string', default: 'current', description: 'current or previous', valueHint: 'window' } as const;

interface Where {
  readonly url: string;
  readonly data?: string | undefined;
  readonly dir: string;
}

async function within<Result>(
  { url, data, dir }: Where,
  create: boolean,
  use: (source: VariableSource) => Promise<Result>,
): Promise<Result> {
  const source =
    data === undefined
      ? remoteVariables(createAsk({ url, token: process.env.CFFBRW_TOKEN }))
      : await localVariables({ directory: dir, data, create });
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

function parseJson(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new UsageError(`${what} is JSON, and “${text}” is not. Text is in double quotes: '"${text.replaceAll('"', '')}"'.`);
  }
}

function keyOf(args: { readonly key?: string | undefined; readonly 'key-json'?: string | undefined }): Key | undefined {
  const json = args['key-json'];
  if (json === undefined) return args.key;
  if (args.key !== undefined) throw new UsageError('--key and --key-json are two keys: one is enough.');
  return parseJson(json, '--key-json') as Key;
}

const windowOf = (given: string): WindowName => {
  if (given === 'current' || given === 'previous') return given;
  throw new UsageError(`--window is current or previous, not “${given}”.`);
};

const print = (value: unknown): void => console.log(JSON.stringify(value));

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

const exporting = command({
  name: 'vars export',
  description:
    'Every value as a line of JSON: variables, keys, the current window and the one before. Values, not who wrote them.',
  examples: [
    'cffbrw vars export values.ndjson',
    'cffbrw vars export --only vouchers,spins',
    'cffbrw vars export --data data > values.ndjson',
  ],
  args: {
    file: { type: 'positional', required: false, description: 'The file to write; standard output when left out' },
    only: { type: 'string', description: 'Only these variables, between commas', valueHint: 'names' },
    ...where,
  },
  async run(args) {
    const names = args.only === undefined ? [] : args.only.split(',');
    const lines = await within(args, false, async (source) => {
      const texts: string[] = [];
      for await (const line of exportLines(source, names)) texts.push(`${JSON.stringify(line)}\n`);
      return texts;
    });
    if (args.file === undefined) process.stdout.write(lines.join(''));
    else {
      await writeWhole(args.file, lines.join(''));
      if (args.json) print({ lines: lines.length, file: args.file });
      else console.error(`${lines.length} value(s) in ${args.file}`);
    }
    return 0;
  },
});

/** A half-written export never stands under the name of a whole one. */
async function writeWhole(file: string, content: string): Promise<void> {
  await writeFile(`${file}.part`, content);
  await rename(`${file}.part`, file);
}

const importing = command({
  name: 'vars import',
  description: [
    'Writes the values of an export, through set, merge, add, raise, lower, mint and burn. A file with a wrong line changes nothing.',
    'What could not be written is told per line; asking again is harmless.',
  ].join(' '),
  examples: [
    'cffbrw vars import values.ndjson --dry-run',
    'cffbrw vars import values.ndjson',
    'cffbrw vars import - --data data < values.ndjson',
  ],
  args: {
    file: { type: 'positional', required: true, description: 'The file of an export; - for standard input' },
    'dry-run': { type: 'boolean', description: 'Say what would be written, and write nothing' },
    ...where,
  },
  async run(args) {
    const text = args.file === '-' ? await readStream(process.stdin) : await readFile(args.file, 'utf8');
    const dryRun = args['dry-run'] === true;
    const report = await within(args, !dryRun, async (source) => {
      const { lines, problems } = parseLines(text, await source.list());
      if (problems.length === 0) return importLines(source, lines, dryRun);
      return { lines: lines.length + problems.length, written: 0, unchanged: 0, skipped: [], failed: problems };
    });
    if (args.json) print({ ...report, dryRun });
    else {
      for (const { line, message } of report.failed) console.error(`line ${line}: ${message}`);
      for (const { line, message } of report.skipped) console.error(`line ${line}: left out: ${message}`);
      const counts = `${report.unchanged} unchanged, ${report.skipped.length} left out, ${report.failed.length} failed`;
      console.log(`${report.lines} line(s): ${report.written} ${dryRun ? 'would be written' : 'written'}, ${counts}`);
    }
    return report.failed.length > 0 ? 1 : 0;
  },
});

export const varsCommands: Readonly<Record<string, CommandDef>> = {
  ...{ list, get, keys },
  ...Object.fromEntries(Object.entries(operations).map(([operation, spec]) => [operation, operationCommand(operation, spec)])),
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
