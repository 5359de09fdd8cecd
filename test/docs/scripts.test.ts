import { describe, expect, it } from 'vitest';
import { allBlocks, filesOf, matches } from './page.ts';
import { promisedIn, runScript } from './script.ts';

const blocks = allBlocks();
const scripts = blocks.filter(({ language }) => language === 'ts' || language === 'js');
/** What a page puts in front of each of its later blocks. */
const preambleOf = (page: string): string =>
  scripts.find((block) => block.page === page && block.info === 'preamble')?.code ?? '';
const programs = scripts.filter(({ info }) => info === '');

describe('the programs of the pages', () => {
  it('are there, and each says what it prints', () => {
    expect(programs.length).toBeGreaterThan(5);
    for (const { page, line, code } of programs) expect(promisedIn(code), `${page}:${line}`).not.toEqual([]);
  });

  it.concurrent.each(
    programs.map((program) => [`${program.page}:${program.line}`, program] as const),
  )('print what the page says: %s', async (_title, { page, section, code }) => {
    const preamble = preambleOf(page);
    // What a preamble opens, no example closes.
    const source = preamble === '' ? code : `${preamble}${code}process.exit(0);`;
    const { output, code: exitCode } = await runScript(source, filesOf(blocks, { page, section }));
    const expected = promisedIn(code).join('\n');
    expect(matches(output, expected) ? expected : output).toBe(expected);
    expect(exitCode).toBe(0);
  });
});
