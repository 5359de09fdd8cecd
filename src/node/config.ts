/**
 * An app in a program: the documents that `cffbrw.config.ts`, `.mts`, `.js` or `.mjs` exports by default (what `defineApp` gives).
 *
 * JavaScript is imported as it is. TypeScript goes through `tsx` where the app or this package has it (then what the file imports is
 * read again on reload, too), else through Node.js itself, where that can (22.18 or later).
 */
import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AppFile } from '../app.ts';
import { CffbrwError } from '../error.ts';
import { definedIn, type Program } from '../workflow/literal.ts';

export const configNames = ['cffbrw.config.ts', 'cffbrw.config.mts', 'cffbrw.config.js', 'cffbrw.config.mjs'];

/** The documents of a config file, named after it. Rejects with INVALID_APP. */
export async function readConfig(file: string): Promise<readonly AppFile[]> {
  const name = basename(file);
  const documents = exportedBy(await load(resolve(file)));
  if (documents.length === 0 || !documents.every((one) => typeof one === 'object' && one !== null)) {
    throw new CffbrwError('INVALID_APP', `${name} does not export an app`, {
      fix: 'Write `export default defineApp({ app, variables, workflows })`.',
    });
  }
  return Promise.all(
    documents.map(async (data) => {
      const program = await programOf(file, data as object);
      return { path: pathOf(name, data as object), text: JSON.stringify(data, null, 2), data, ...(program && { program }) };
    }),
  );
}

/** The text in which a document was written: what `defineWorkflow` says, or the config file. */
async function programOf(file: string, data: object): Promise<Program | undefined> {
  const said = (data as { readonly [definedIn]?: unknown })[definedIn];
  const written = typeof said === 'string' ? pathOfModule(said) : file;
  try {
    return { file: relative(dirname(file), written).replaceAll(sep, '/'), text: await readFile(written, 'utf8') };
  } catch {
    // Built from somewhere else: then the path of a part is its place.
    return undefined;
  }
}

/** In a package that does not say `type: module`, what is exported by default comes wrapped. */
function exportedBy({ default: exported }: Loaded): readonly unknown[] {
  if (Array.isArray(exported)) return exported;
  const inner = (exported as Loaded | null | undefined)?.default;
  return Array.isArray(inner) ? inner : [];
}

function pathOf(name: string, data: object): string {
  const { workflow } = data as { readonly workflow?: unknown };
  return typeof workflow === 'string' ? `${name} workflow ${workflow}` : name;
}

/** A module's name in a stack is its path, or its address with a mark behind it that made it new. */
const pathOfModule = (said: string): string =>
  said.startsWith('file:') ? fileURLToPath(said.replace(/\?.*$/, '')) : said.replace(/\?.*$/, '');

interface Loaded {
  readonly default?: unknown;
}
type Import = (url: string, parent: string) => Promise<Loaded>;

async function load(file: string): Promise<Loaded> {
  const url = pathToFileURL(file).href;
  forgetRequired(file);
  const importer = /ts$/.test(file) ? await importerOf(file) : nativeImport;
  try {
    return await importer(url, import.meta.url);
  } catch (cause) {
    if (cause instanceof CffbrwError) throw cause;
    throw new CffbrwError(
      'INVALID_APP',
      `${basename(file)} can't be run: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        fix: 'Correct it: it runs as any module does.',
        cause,
      },
    );
  }
}

/** In a package that does not say `type: module`, modules are kept by their path: the app's own are read again. */
function forgetRequired(file: string): void {
  const { cache } = createRequire(file);
  const folder = dirname(file) + sep;
  for (const name of Object.keys(cache)) {
    if (name.startsWith(folder) && !name.includes(`${sep}node_modules${sep}`)) delete cache[name];
  }
}

/** The time in the address makes a changed file a new module. What it imports stays as it was. */
const nativeImport: Import = async (url) => {
  const { mtimeMs } = await stat(new URL(url));
  return (await import(`${url}?${mtimeMs}`)) as Loaded;
};

interface Means {
  /** Where the module of tsx is, or null. */
  readonly tsx: string | null;
  /** Whether Node.js runs TypeScript by itself. */
  readonly native: boolean;
}

function meansFor(file: string): Means {
  const { typescript } = process.features as { readonly typescript?: unknown };
  return { tsx: tsxBeside(file) ?? tsxBeside(import.meta.filename), native: Boolean(typescript) };
}

/** What imports a TypeScript file. Rejects with INVALID_APP when nothing can. */
export async function importerOf(file: string, { tsx, native }: Means = meansFor(file)): Promise<Import> {
  if (tsx !== null) {
    const { tsImport } = (await import(pathToFileURL(tsx).href)) as { tsImport: Import };
    return tsImport;
  }
  if (native) return nativeImport;
  throw new CffbrwError(
    'INVALID_APP',
    `${basename(file)} is TypeScript, which Node.js ${process.versions.node} can't run by itself`,
    {
      fix: 'Install tsx beside the app (npm i -D tsx), use Node.js 24, or write cffbrw.config.mjs.',
    },
  );
}

/** Its module for `import`: what `require` finds is another one, which can't. */
function tsxBeside(file: string): string | null {
  try {
    const found = createRequire(file).resolve('tsx/package.json');
    const { exports } = JSON.parse(readFileSync(found, 'utf8')) as TsxPackage;
    return join(dirname(found), exports['./esm/api'].import.default);
  } catch {
    return null;
  }
}

interface TsxPackage {
  readonly exports: { readonly './esm/api': { readonly import: { readonly default: string } } };
}
