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
  await runCommand(main, { rawArgs });
}

async function help([name, inner]: readonly string[]): Promise<void> {
  const usage = (await usageOf(name, inner)).replaceAll(/ +$/gm, '');
  console.log(hasColours(process.stdout) ? usage : stripVTControlCharacters(usage));
  if (name === undefined) process.exitCode = 2;
}

async function usageOf(name: string | undefined, inner: string | undefined): Promise<string> {
  const load = Object.entries(subCommands).find(([command]) => command === name)?.[1];
  if (load === undefined) return renderUsage({ ...main, subCommands: await briefly(subCommands) });
  const command = await load();
  // The commands of a group are there already, as data.
  const group = (command.subCommands ?? {}) as Readonly<Record<string, CommandDef>>;
  const chosen = Object.entries(group).find(([inside]) => inside === inner)?.[1];
  const shown = Object.keys(group).length === 0 ? command : { ...command, subCommands: await briefly(group) };
  return renderUsage(chosen ?? shown, main);
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
function brief(command: CommandDef): CommandDef {
  const { description = '', ...meta } = command.meta as CommandMeta;
  return { ...command, meta: { ...meta, description: description.split('\n')[0] ?? '' } };
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  const wrongUse = (error as Error).name === 'CLIError' ? `${(error as Error).message} See --help.` : null;
  console.error(wrongUse ?? describeError(error));
  process.exit(error instanceof UsageError || wrongUse !== null ? 2 : 1);
}
