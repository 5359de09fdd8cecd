#!/usr/bin/env node
/** The command `cffbrw`. Exit codes: 0 done, 1 it could not be done, 2 wrong use of the command line. */
import { stripVTControlCharacters } from 'node:util';
import { type CommandDef, type CommandMeta, defineCommand, renderUsage, runCommand } from 'citty';
import { version } from '../version.ts';
import { describeError, UsageError } from './command.ts';
import { hasColours } from './print.ts';

const subCommands = {
  dev: () => import('./commands/dev.ts').then((module) => module.dev),
  start: () => import('./commands/start.ts').then((module) => module.start),
  check: () => import('./commands/check.ts').then((module) => module.check),
  simulate: () => import('./commands/simulate.ts').then((module) => module.simulate),
  build: () => import('./commands/build.ts').then((module) => module.build),
  init: () => import('./commands/init.ts').then((module) => module.init),
  recover: () => import('./commands/recover.ts').then((module) => module.recover),
  vars: () => import('./commands/vars.ts').then((module) => module.vars),
  runs: () => import('./commands/runs.ts').then((module) => module.runs),
  replicas: () => import('./commands/replicas.ts').then((module) => module.replicas),
  backbone: () => import('./commands/backbone.ts').then((module) => module.backbone),
  openapi: () => import('./commands/openapi.ts').then((module) => module.openapi),
};

const main = defineCommand({
  meta: {
    name: 'cffbrw',
    version,
    description: 'Small HTTP APIs as workflows, with global variables that stay right at many locations.',
  },
  subCommands,
});

async function run(rawArgs: string[]): Promise<void> {
  const [name] = rawArgs;
  if (rawArgs.length === 1 && (name === '--version' || name === '-v')) return console.log(version);
  if (name === undefined || rawArgs.includes('--help') || rawArgs.includes('-h')) return help(rawArgs);
  if (!Object.hasOwn(subCommands, name)) {
    throw new UsageError(`There is no command “${name}”. There are: ${Object.keys(subCommands).join(', ')}. See cffbrw --help.`);
  }
  await refuseUnknown(name, rawArgs[1]);
  await runCommand(main, { rawArgs });
}

/** Of a group each command has a name of its own. */
async function refuseUnknown(name: string, inner: string | undefined): Promise<void> {
  const group = groupOf(await load(name));
  if (Object.keys(group).length === 0 || Object.hasOwn(group, inner ?? '')) return;
  const what = inner === undefined ? `cffbrw ${name} is a group of commands` : `There is no command “${name} ${inner}”`;
  const there = Object.keys(group).map((command) => `${name} ${command}`);
  throw new UsageError(`${what}. There are: ${there.join(', ')}. See cffbrw ${name} --help.`);
}

const load = async (name: string): Promise<CommandDef> => subCommands[name as keyof typeof subCommands]();

/** The commands of a group are there already, as data. */
const groupOf = ({ subCommands: group }: CommandDef): Readonly<Record<string, CommandDef>> =>
  (group ?? {}) as Readonly<Record<string, CommandDef>>;

async function help([name, inner]: readonly string[]): Promise<void> {
  console.log(plainUnlessSeen(process.stdout, (await usageOf(name, inner)).replaceAll(/ +$/gm, '')));
  if (name === undefined) process.exitCode = 2;
}

/** The library paints in colours of its own. */
const plainUnlessSeen = (stream: NodeJS.WriteStream, text: string): string =>
  hasColours(stream) ? text : stripVTControlCharacters(text);

const exitCodes = 'Exit codes: 0 done, 1 it could not be done, 2 wrong use of the command line.';

async function usageOf(name: string | undefined, inner: string | undefined): Promise<string> {
  if (!Object.hasOwn(subCommands, name ?? ''))
    return `${await renderUsage({ ...main, subCommands: await briefly(subCommands) })}\n${exitCodes}`;
  const command = await load(name ?? '');
  const group = groupOf(command);
  const chosen = Object.entries(group).find(([inside]) => inside === inner)?.[1];
  if (chosen === undefined && Object.keys(group).length > 0)
    return renderUsage({ ...command, subCommands: await briefly(group) }, main);
  return withExamples(chosen ?? command);
}

/** They come last: what one looks for is at the end of what a terminal shows. */
async function withExamples(command: CommandDef): Promise<string> {
  const [, ...examples] = describe(command).split('\n');
  return `${(await renderUsage(brief(command), main)).trimEnd()}\n${examples.join('\n')}`;
}

type Listed = Readonly<Record<string, CommandDef | (() => Promise<CommandDef>)>>;

/** A list of commands has a line for each. */
async function briefly(commands: Listed): Promise<Record<string, CommandDef>> {
  const each = Object.entries(commands).map(async ([name, command]) => {
    return [name, brief(typeof command === 'function' ? await command() : command)] as const;
  });
  return Object.fromEntries(await Promise.all(each));
}

/** Without its examples. */
const brief = (command: CommandDef): CommandDef => ({
  ...command,
  meta: { ...(command.meta as CommandMeta), description: describe(command).split('\n')[0] ?? '' },
});

const describe = ({ meta }: CommandDef): string => (meta as CommandMeta).description ?? '';

try {
  await run(process.argv.slice(2));
} catch (error) {
  const wrongUse = (error as Error).name === 'CLIError' ? `${(error as Error).message.replace(/\.?$/, '.')} See --help.` : null;
  console.error(wrongUse === null ? describeError(error) : plainUnlessSeen(process.stderr, wrongUse));
  process.exit(error instanceof UsageError || wrongUse !== null ? 2 : 1);
}
