/**
 * An app's directory: `cffbrw.yaml` and `workflows/*.yaml` as texts. JSON under the same names is read too; in place of `cffbrw.yaml`
 * there may be a program, `cffbrw.config.ts`, which exports the documents.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CffbrwError } from '../error.ts';
import { configNames, readConfig } from './config.ts';

export interface DocumentText {
  /** Relative to the directory, with `/`. */
  readonly path: string;
  readonly text: string;
  /** The document itself, where a program built it. */
  readonly data?: unknown;
}

export const settingsNames: readonly string[] = ['cffbrw.yaml', 'cffbrw.yml', 'cffbrw.json', ...configNames];
const workflowName = /\.(ya?ml|json)$/;

/** Rejects with INVALID_APP when this is no app's directory. */
export async function readDocuments(directory: string): Promise<readonly DocumentText[]> {
  const names = await namesIn(directory);
  if (names === null) throw notAnApp(directory, 'there is no such directory');
  const [settings, ...others] = settingsNames.filter((name) => names.includes(name));
  if (settings === undefined) throw notAnApp(directory, 'it has no cffbrw.yaml');
  if (others.length > 0) throw notAnApp(directory, `it has both ${settings} and ${others[0]}: keep one`);
  const workflows = ((await namesIn(join(directory, 'workflows'))) ?? []).filter((name) => workflowName.test(name)).sort();
  const read = async (path: string) => ({ path, text: await readFile(join(directory, path), 'utf8') });
  const first = configNames.includes(settings) ? readConfig(join(directory, settings)) : Promise.all([read(settings)]);
  return [...(await first), ...(await Promise.all(workflows.map((name) => read(`workflows/${name}`))))];
}

async function namesIn(directory: string): Promise<string[] | null> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new CffbrwError('INVALID_APP', `${directory} can't be read: ${code ?? String(error)}`, { cause: error });
  }
}

const notAnApp = (directory: string, why: string) =>
  new CffbrwError('INVALID_APP', `${directory} is not the directory of an app: ${why}`, {
    fix: 'Name the directory that holds cffbrw.yaml or cffbrw.config.ts, or make one: npx cffbrw init my-app',
  });
