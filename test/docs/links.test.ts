import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pages, proseOf, readPage, root } from './page.ts';

const project = JSON.parse(readPage('package.json')) as { scripts: Record<string, string>; exports: Record<string, unknown> };

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const anchorsOf = (page: string): string[] =>
  [...proseOf(readPage(page)).matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1] ?? ''));

/** Paths in code spans: those that name a file, or a folder at the root of the project. */
function pathsIn(text: string): string[] {
  const spans = [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
  return spans.filter((span) => /^(?:src|test|docs|examples|bench|scripts|studio)\/[\w./-]*$|^[A-Z]+\.md$/.test(span));
}

describe.each(pages)('%s', (page) => {
  const text = readPage(page);
  const links = [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');

  it('links only to what is there', () => {
    for (const link of links.filter((one) => !/^[a-z]+:/.test(one))) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      expect(existsSync(join(root, target)), `${page} links to ${link}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(target), `${page} links to ${link}`).toContain(anchor);
    }
  });

  it('names only files and folders that are there', () => {
    for (const path of pathsIn(text)) expect(existsSync(join(root, path)), `${page} names ${path}`).toBe(true);
  });

  it('names only commands that package.json has, and entry points that it exports', () => {
    for (const [, name = ''] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(project.scripts)).toContain(name);
    for (const [, path = ''] of text.matchAll(/['`]cffbrw\/([\w-]+)['`]/g))
      expect(Object.keys(project.exports)).toContain(`./${path}`);
  });

  it('has no line that is longer than 140 characters outside tables and code', () => {
    const long = proseOf(text)
      .split('\n')
      .filter((line) => line.length > 140 && !line.startsWith('|'));
    expect(long).toEqual([]);
  });
});
