/** The commands that a page shows, run in a directory with the files that it shows. */
import { expect } from 'vitest';
import { allBlocks, type Block, filesFor, grouped, matches } from './page.ts';
import { commandsIn, openSession } from './session.ts';

const blocks = allBlocks();

/** By page and section. */
export const sections: ReadonlyMap<string, readonly Block[]> = grouped(
  blocks.filter((block) => block.language === 'console'),
  ({ page, section }) => `${page}: ${section}`,
);

/** Its simulations take seconds each: a longer suite runs them. */
export const isOfSimulate = ([title]: readonly [string, unknown]): boolean => title.startsWith('docs/simulate.md');

export async function expectShown(inSection: readonly Block[]): Promise<void> {
  const session = await openSession(filesFor(blocks, inSection[0] as Block));
  try {
    for (const block of inSection) {
      for (const command of commandsIn(block.code)) {
        const actual = await session.run(command);
        const shown = `${block.page}:${block.line}\n$ ${command.command}\n`;
        expect(shown + (matches(actual, command.expected) ? command.expected : actual)).toBe(shown + command.expected);
      }
    }
  } finally {
    await session.close();
  }
}
