import { describe, expect, it } from 'vitest';
import { expectShown, isOfSimulate, sections } from './console.ts';
import { matches } from './page.ts';

describe('the commands of the pages', () => {
  it('are there', () => {
    expect(sections.size).toBeGreaterThan(3);
  });

  it.concurrent.each([...sections].filter((section) => !isOfSimulate(section)))('print what the page shows: %s', (_, inSection) =>
    expectShown(inSection));
});

describe('the comparison with the page', () => {
  it('takes … for anything, and nothing else for something else', () => {
    expect(matches('{"code":"W-1a","left":9}\n', '{"code":"W-…","left":9}')).toBe(true);
    expect(matches('{"code":"W-1a","left":8}\n', '{"code":"W-…","left":9}')).toBe(false);
    expect(matches('a.b', 'a+b')).toBe(false);
  });
});
