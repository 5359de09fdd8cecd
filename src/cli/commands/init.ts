import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cancel, intro, isCancel, note, outro, text } from '@clack/prompts';
import { CffbrwError } from '../../error.ts';
import { version } from '../../version.ts';
import { command } from '../command.ts';

const parts: readonly string[] = ['cffbrw.yaml', 'workflows', 'scenarios', 'public'];

export const init = command({
  name: 'init',
  description: 'Makes a new app: the wheel of fortune, ready to run and to change.',
  examples: ['cffbrw init my-wheel', 'cffbrw init .'],
  args: { dir: { type: 'positional', required: false, description: 'The directory to make; asked for when left out' } },
  async run({ dir }) {
    const directory = dir ?? (await ask());
    if (directory === null) return 1;
    await refuseFull(directory);
    await mkdir(directory, { recursive: true });
    const from = template();
    for (const name of parts) await cp(join(from, name), join(directory, name), { recursive: true });
    await nameSchemas(directory);
    // npm leaves a .gitignore out of packages, so it is written here.
    if (!existsSync(join(directory, '.gitignore'))) await writeFile(join(directory, '.gitignore'), 'data/\nnode_modules/\n');
    const enter = resolve(directory) === process.cwd() ? '' : `cd ${directory} && `;
    console.log(`Made ${basename(resolve(directory))}: cffbrw.yaml, workflows/spin.yaml, scenarios/, public/.\n`);
    console.log(`  ${enter}npx cffbrw dev        then open http://127.0.0.1:3000`);
    return 0;
  },
});

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
