#!/usr/bin/env node
/** The command `cffbrw`. Exit codes: 0 done, 1 it could not be done, 2 wrong use of the command line. */
import { defineCommand, renderUsage, runCommand } from 'citty';
import { version } from '../version.ts';
import { describeError, UsageError } from './command.ts';

const subCommands = {
  dev: () => import('./commands/dev.ts').then((module) => module.dev),
  start: () => import('./commands/start.ts').then((module) => module.start),
  init: () => import('./commands/init.ts').then((module) => module.init),
  recover: () => import('./commands/recover.ts').then((module) => module.recover),
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
  if (name === undefined || rawArgs.includes('--help') || rawArgs.includes('-h')) return help(name);
  if (!Object.hasOwn(subCommands, name)) {
    throw new UsageError(`There is no command “${name}”. There are: ${Object.keys(subCommands).join(', ')}. See cffbrw --help.`);
  }
  await runCommand(main, { rawArgs });
}

async function help(name: string | undefined): Promise<void> {
  const load = Object.entries(subCommands).find(([command]) => command === name)?.[1];
  console.log(load === undefined ? await renderUsage(main) : await renderUsage(await load(), main));
  if (name === undefined) process.exitCode = 2;
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  console.error(describeError(error));
  process.exit(error instanceof UsageError || (error as Error).name === 'CLIError' ? 2 : 1);
}
