/** A command is data: its arguments, its examples, and what it does. Help and the refusal of unknown options are derived. */
import { type ArgsDef, type CommandDef, defineCommand, parseArgs } from 'citty';
import { CffbrwError } from '../error.ts';

export interface CommandSpec<Args extends ArgsDef> {
  readonly name: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly args: Args;
  /** Whether more may follow the last positional argument; all of them are in `_`. */
  readonly rest?: boolean;
  /** Resolves with the exit code; undefined: 0. */
  readonly run: (args: ReturnType<typeof parseArgs<Args>>) => Promise<number | undefined>;
}

/** Wrong use of the command line: exit code 2. */
export class UsageError extends Error {}

export function command<const Args extends ArgsDef>(spec: CommandSpec<Args>): CommandDef {
  const definition: CommandDef<Args> = defineCommand({
    meta: { name: spec.name, description: withExamples(spec) },
    args: spec.args,
    async run({ args, rawArgs }) {
      refuseUnknown(spec, rawArgs);
      process.exitCode = (await spec.run(args)) ?? 0;
    },
  });
  // citty's types are invariant in the arguments; a table of commands needs the one type.
  return definition as unknown as CommandDef;
}

const withExamples = (spec: { description: string; examples: readonly string[] }): string =>
  [spec.description, '', 'Examples:', ...spec.examples.map((line) => `  ${line}`)].join('\n');

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function refuseUnknown(spec: { name: string; args: ArgsDef; rest?: boolean }, rawArgs: readonly string[]): void {
  const options = Object.entries(spec.args).filter(([, arg]) => arg.type !== 'positional');
  const known = new Set(options.flatMap(([name, arg]) => [name, kebab(name), ...('alias' in arg ? aliasesOf(arg.alias) : [])]));
  for (const raw of rawArgs) {
    if (raw === '--') break;
    const name = /^--?(?:no-)?([a-zA-Z][\w-]*)/.exec(raw)?.[1];
    if (name !== undefined && !known.has(name)) {
      throw new UsageError(
        `cffbrw ${spec.name} has no option ${raw.split('=')[0]}. Its options: ${options.map(([option]) => `--${kebab(option)}`).join(' ')}`,
      );
    }
  }
  const positionals = Object.values(spec.args).filter((arg) => arg.type === 'positional').length;
  const given = parseArgs([...rawArgs], spec.args)._.length;
  if (given > positionals && spec.rest !== true)
    throw new UsageError(`cffbrw ${spec.name} takes at most ${positionals} argument(s), and got ${given}.`);
}

const aliasesOf = (alias: string | string[] | undefined): string[] => (alias === undefined ? [] : [alias].flat());

/** `250ms`, `2s`, `1m` in milliseconds. Throws a UsageError. */
export function durationMs(text: string, option: string): number {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ''];
  if (match === null || unit === undefined) throw new UsageError(`--${option} is a duration such as 250ms or 2s, not “${text}”.`);
  return Number(match[1]) * unit;
}

/** A whole number within bounds. Throws a UsageError. */
export function wholeNumber(text: string, option: string, bounds: { readonly from: number; readonly to: number }): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= bounds.from && value <= bounds.to) return value;
  throw new UsageError(`--${option} is a whole number from ${bounds.from} to ${bounds.to}, not “${text}”.`);
}

/** What happened, why, and what to do. */
export function describeError(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  if (!(error instanceof CffbrwError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  // All that is wrong with an app's documents, each with its own place and what to do.
  if (error.code === 'INVALID_APP' && Array.isArray(error.cause)) return error.message;
  const place = error.place === undefined ? '' : `${error.place.file}:${error.place.line}:${error.place.column}: `;
  const fix = error.fix === undefined ? '' : `\n  → ${error.fix}`;
  return `${place}${error.message} (${error.code})${fix}`;
}
