import { describe, expect, it } from 'vitest';
import { allBlocks, type Block, filesFor, grouped, matches } from './page.ts';
import { commandsIn, openSession } from './session.ts';

const blocks = allBlocks();
const sections = grouped(
  blocks.filter((block) => block.language === 'console'),
  ({ page, section }) => `${page}: ${section}`,
);

describe('the commands of the pages', () => {
  it('are there', () => {
    expect(sections.size).toBeGreaterThan(3);
  });

  it.concurrent.each([...sections])('print what the page shows: %s', async (_title, inSection) => {
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
  });
});

describe('the comparison with the page', () => {
  it('takes … for anything, and nothing else for something else', () => {
    expect(matches('{"code":"W-1a","left":9}\n', '{"code":"W-…","left":9}')).toBe(true);
    expect(matches('{"code":"W-1a","left":8}\n', '{"code":"W-…","left":9}')).toBe(false);
    expect(matches('a.b', 'a+b')).toBe(false);
  });
});
