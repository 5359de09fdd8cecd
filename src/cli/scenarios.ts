/** The scenarios of an app's directory, and the apps that each of them runs. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { App } from '../app.ts';
import { CffbrwError } from '../error.ts';
import { loadScenario, type Scenario, type SimulatedDocument } from '../simulate/index.ts';
import { UsageError } from './command.ts';
import { readApp } from './running.ts';

const ending = /\.(ya?ml|json)$/;

/** `launch-day` for `scenarios/launch-day.yaml`: the name on the command line. */
export const commandName = (file: string): string => basename(file).replace(ending, '');

/** Those that are named, in that order, or all. Rejects with all that is wrong with them. */
export async function readScenarios(directory: string, wanted: readonly string[], app: App): Promise<readonly Scenario[]> {
  const files = await scenarioFiles(directory);
  const chosen = wanted.length === 0 ? files : wanted.map((name) => chooseFile(name, files, directory));
  return Promise.all(
    chosen.map(async (name) =>
      loadScenario({ path: `scenarios/${name}`, text: await readFile(join(directory, 'scenarios', name), 'utf8') }, app),
    ),
  );
}

async function scenarioFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(join(directory, 'scenarios')).catch(() => null);
  const files = (names ?? []).filter((name) => ending.test(name)).sort();
  if (files.length > 0) return files;
  throw new CffbrwError(
    'INVALID_APP',
    `${join(directory, 'scenarios')} ${names === null ? 'is not there' : 'holds no scenario'}: there is nothing to simulate`,
    {
      fix: 'Write scenarios/<name>.yaml: its load, and what must always hold. docs/simulate.md has one to begin with.',
    },
  );
}

function chooseFile(name: string, files: readonly string[], directory: string): string {
  const found = files.find((file) => [file, commandName(file), `scenarios/${file}`].includes(name));
  if (found !== undefined) return found;
  throw new UsageError(`${directory} has no scenario “${name}”. It has: ${files.map(commandName).join(', ')}.`);
}

/** The app itself and the baselines, each under the shortest name that tells it from the others. */
export async function documentsOf(
  directory: string,
  app: App,
  { baseline, file }: Scenario,
): Promise<readonly SimulatedDocument[]> {
  const last = baseline.map((folder) => basename(folder));
  const names = last.every((name, index) => last.indexOf(name) === index && name !== app.name) ? last : baseline;
  const read = async (folder: string, index: number): Promise<SimulatedDocument> => ({
    name: names[index] ?? folder,
    app: await readApp(join(directory, folder)).catch((error: unknown) => {
      throw ofScenario(error, file);
    }),
    role: 'baseline',
  });
  return [{ name: app.name, app, role: 'subject' }, ...(await Promise.all(baseline.map(read)))];
}

/** Says which scenario asked for that app. */
function ofScenario(error: unknown, file: string): unknown {
  if (!(error instanceof CffbrwError)) return error;
  const { code, message, fix, cause } = error;
  return new CffbrwError(code, `${file}, baseline: ${message}`, { ...(fix !== undefined && { fix }), cause });
}
