import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cancel, confirm, intro, isCancel, note, outro, text } from '@clack/prompts';
import { loadApp } from '../../app.ts';
import { CffbrwError } from '../../error.ts';
import { readDocuments, settingsNames } from '../../node/directory.ts';
import { version } from '../../version.ts';
import { cloudflareFiles, ignored } from '../cloudflare-files.ts';
import { command, UsageError } from '../command.ts';
import { writeWhole } from '../write-whole.ts';

const parts: readonly string[] = ['cffbrw.yaml', 'workflows', 'scenarios', 'public'];

export const init = command({
  name: 'init',
  description:
    'Makes a new app: the wheel of fortune, ready to run and to change. With --cloudflare also what runs an app on Cloudflare.',
  examples: ['cffbrw init my-wheel', 'cffbrw init .', 'cffbrw init --cloudflare   (in the directory of an app)'],
  args: {
    dir: { type: 'positional', required: false, description: 'The directory to make; asked for when left out' },
    cloudflare: {
      type: 'boolean',
      description: 'Write wrangler.jsonc, worker.js and README.cloudflare.md, for a new app or one that is there',
    },
    force: { type: 'boolean', description: 'With --cloudflare: overwrite those three' },
  },
  async run({ dir, cloudflare = false, force = false }) {
    if (force && !cloudflare) throw new UsageError('--force is for --cloudflare: an app itself is never overwritten.');
    const directory = dir ?? (cloudflare && settingsIn('.') !== null ? '.' : await ask());
    if (directory === null) return 1;
    if (!cloudflare || settingsIn(directory) === null) await makeApp(directory);
    if (cloudflare && !(await addCloudflare(directory, force))) return 1;
    const enter = resolve(directory) === process.cwd() ? '' : `cd ${directory} && `;
    console.log(`  ${enter}npx cffbrw dev        then open http://127.0.0.1:3000`);
    if (cloudflare)
      console.log(`  ${enter}npm install cffbrw wrangler && npx wrangler dev        with Node.js 20: wrangler@4.86.0`);
    return 0;
  },
});

async function makeApp(directory: string): Promise<void> {
  await refuseFull(directory);
  await mkdir(directory, { recursive: true });
  const from = template();
  for (const name of parts) await cp(join(from, name), join(directory, name), { recursive: true });
  await nameSchemas(directory);
  await ignore(directory, ['data/', 'node_modules/']);
  console.log(`Made ${basename(resolve(directory))}: cffbrw.yaml, workflows/spin.yaml, scenarios/, public/.\n`);
}

const settingsIn = (directory: string): string | null => settingsNames.find((name) => existsSync(join(directory, name))) ?? null;

/** False: somebody said no. */
async function addCloudflare(directory: string, force: boolean): Promise<boolean> {
  const app = loadApp(await readDocuments(directory));
  const files = Object.entries(cloudflareFiles(app, settingsIn(directory) ?? 'cffbrw.yaml'));
  const there = files.filter(([name]) => existsSync(join(directory, name))).map(([name]) => name);
  if (there.length > 0 && !force && !(await mayOverwrite(directory, there))) return false;
  for (const [name, content] of files) await writeWhole(join(directory, name), content);
  await ignore(directory, ignored);
  console.log(`Wrote ${files.map(([name]) => name).join(', ')}.\n`);
  return true;
}

async function mayOverwrite(directory: string, names: readonly string[]): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CffbrwError('INVALID_APP', `${directory} already has ${names.join(', ')}; nothing was changed`, {
      fix: 'Move what you want to keep, or overwrite it: --force.',
    });
  }
  const answer = await confirm({ message: `Overwrite ${names.join(', ')}?`, initialValue: false });
  if (answer === true) return true;
  cancel('Nothing was changed.');
  return false;
}

/** npm leaves a .gitignore out of packages, so it is written here. What is in it stays. */
async function ignore(directory: string, names: readonly string[]): Promise<void> {
  const file = join(directory, '.gitignore');
  const before = existsSync(file) ? await readFile(file, 'utf8') : '';
  const missing = names.filter((name) => !before.split(/\r?\n/).includes(name));
  if (missing.length === 0) return;
  await writeFile(file, `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`);
}

/** The line by which editors find the form of a document. */
async function nameSchemas(directory: string): Promise<void> {
  const named = async (path: string, schema: string) => {
    const comment = `# yaml-language-server: $schema=https://unpkg.com/cffbrw@${version}/schemas/${schema}.schema.json\n`;
    await writeFile(path, comment + withoutBaseline(await readFile(path, 'utf8')));
  };
  await named(join(directory, 'cffbrw.yaml'), 'cffbrw');
  for (const kind of ['workflow', 'scenario']) {
    const folder = join(directory, `${kind}s`);
    for (const name of await readdir(folder)) await named(join(folder, name), kind);
  }
}

/** The wheels that must break stay in the example: whoever changes this one would have to change them, too. */
const withoutBaseline = (text: string): string => text.replace(/^baseline:.*\n/m, '');

async function ask(): Promise<string | null> {
  if (!process.stdin.isTTY) return 'my-wheel';
  intro('cffbrw');
  const answer = await text({ message: 'Where?', placeholder: 'my-wheel', defaultValue: 'my-wheel' });
  if (isCancel(answer)) {
    cancel('Nothing was made.');
    return null;
  }
  note('The wheel of fortune: ten vouchers a day, and never an eleventh.');
  outro(`Making ${answer}`);
  return answer;
}

async function refuseFull(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  const found = (await readdir(directory)).filter((name) => parts.includes(name));
  if (found.length === 0) return;
  throw new CffbrwError('INVALID_APP', `${directory} already has ${found.join(', ')}; nothing was changed`, {
    fix: 'Name another directory.',
  });
}

/** The wheel comes with the package: beside `dist/` where it is installed, beside `src/` in a checkout. */
function template(): string {
  for (let directory = import.meta.dirname; ; directory = join(directory, '..')) {
    const candidate = join(directory, 'examples', 'wheel');
    if (existsSync(join(candidate, 'cffbrw.yaml'))) return candidate;
    if (directory === fileURLToPath(new URL('/', import.meta.url)))
      throw new CffbrwError('INVALID_APP', 'this installation lacks its template');
  }
}
