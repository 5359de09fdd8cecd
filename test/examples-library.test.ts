/** The examples of the library print what they say, as programs of their own against the built package. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'examples/library');
const programs = readdirSync(folder).filter((name) => name.endsWith('.ts'));
const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href;

/** What the comments `// → …` promise, in order. */
const promisedIn = (source: string): string[] => [...source.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1] ?? '');

function run(program: string): Promise<{ readonly output: string; readonly failed: boolean }> {
  const home = mkdtempSync(join(tmpdir(), 'cffbrw-library-'));
  const env = { ...process.env, NO_COLOR: '1', XDG_STATE_HOME: join(home, 'state') };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', tsx, program], { cwd: home, env, timeout: 20_000 }, (error, stdout, stderr) => {
      rmSync(home, { recursive: true, force: true });
      resolve({ output: stdout + stderr, failed: error !== null });
    });
  });
}

describe('the examples of the library', () => {
  test('are there: a counter, a stock, an object, and how to mount an app', () => {
    expect(programs.length).toBeGreaterThanOrEqual(7);
    for (const program of programs) expect(promisedIn(readFileSync(join(folder, program), 'utf8')), program).not.toEqual([]);
  });

  test.concurrent.each(programs)('%s prints what it says, and ends by itself', async (program) => {
    const { output, failed } = await run(join(folder, program));
    expect(output.trimEnd().split('\n')).toEqual(promisedIn(readFileSync(join(folder, program), 'utf8')));
    expect(failed).toBe(false);
  });
});

/** What the pages show stands in files that are compiled, and run or refused, by tests. */
describe('the pages of the library', () => {
  const shown = [...programs.map((name) => `examples/library/${name}`), 'examples/library/wheel/cffbrw.config.ts'];
  const refused = ['test/define/types.test-d.ts', 'test/replica/handle-types.test-d.ts'];
  const sources = [...shown, ...refused].map((file) => readFileSync(join(root, file), 'utf8'));

  test.each(['docs/library.md', 'docs/typescript.md'])('%s shows only what is there', (page) => {
    const blocks = [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts part\n(.*?)^```$/gms)].map(
      ([, code]) => code ?? '',
    );
    expect(blocks.length).toBeGreaterThanOrEqual(6);
    for (const code of blocks) expect(sources.some((source) => source.includes(code)) ? '' : code).toBe('');
  });
});
