/** The pages of the documentation, as blocks and links. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** Every page that these tests hold to its word. docs/expressions.md has a test of its own, test/expression/docs.test.ts. */
export const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'docs/strategies.md',
  'docs/workflows.md',
  'docs/check.md',
  'docs/typescript.md',
  'docs/library.md',
  'docs/simulate.md',
  'docs/operations.md',
  'docs/admin.md',
  'docs/cloudflare.md',
  'docs/testing.md',
] as const;

export interface Block {
  readonly page: string;
  /** The heading `##` above it; '' before the first. */
  readonly section: string;
  readonly language: string;
  /** What stands behind the language. */
  readonly info: string;
  readonly code: string;
  /** Of the fence, from 1. */
  readonly line: number;
}

export const readPage = (page: string): string => readFileSync(join(root, page), 'utf8');

export function blocksIn(page: string, text = readPage(page)): Block[] {
  const blocks: Block[] = [];
  let section = '';
  let open: { language: string; info: string; line: number; lines: string[] } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^```(\S*)\s*(.*)$/.exec(line);
    if (open !== null) {
      if (fence === null) open.lines.push(line);
      else {
        const { lines, ...rest } = open;
        blocks.push({ page, section, ...rest, code: `${lines.join('\n')}\n` });
        open = null;
      }
    } else if (fence !== null) open = { language: fence[1] ?? '', info: fence[2] ?? '', line: index + 1, lines: [] };
    else if (line.startsWith('## ')) section = line.slice(3).trim();
  }
  return blocks;
}

export const allBlocks = (): Block[] => pages.flatMap((page) => blocksIn(page));

/** The name of the file that a block shows: its first comment line. What is bad, or good in place of that, is no part of an app. */
export const fileNameOf = ({ code, info }: Block): string | null =>
  info === '' ? (/^# (\S+\.ya?ml)\b/.exec(code)?.[1] ?? null) : null;

/** The files that the blocks of one section show, in order. */
export const filesOf = (blocks: readonly Block[], { page, section }: Pick<Block, 'page' | 'section'>) =>
  blocks
    .filter((block) => block.page === page && block.section === section && block.language === 'yaml')
    .flatMap((block) => {
      const path = fileNameOf(block);
      return path === null ? [] : [{ path, text: block.code }];
    });

/** The apps among the files: one at the top, others in folders of their own. Scenarios are in none. */
export const appsIn = (files: readonly { readonly path: string; readonly text: string }[]) =>
  grouped(
    files.flatMap(({ path, text }) => {
      const [, folder, name] = /^(.*?)(cffbrw\.yaml|workflows\/[^/]+)$/.exec(path) ?? [];
      return name === undefined ? [] : [{ folder: folder ?? '', path: name, text }];
    }),
    ({ folder }) => folder,
  );

/** The files of a section, or, where it shows none, those of the first section of its page that does. */
export function filesFor(blocks: readonly Block[], { page, section }: Pick<Block, 'page' | 'section'>) {
  const own = filesOf(blocks, { page, section });
  const first = blocks.find((block) => block.page === page && fileNameOf(block) !== null);
  return own.length > 0 || first === undefined ? own : filesOf(blocks, first);
}

/** The text without its code blocks. */
export const proseOf = (text: string): string => text.replace(/^```.*?^```$/gms, '');

/** The rows of the table that starts behind `<!-- name -->`, as cells; the head and the rule are left out. */
export function tableIn(text: string, name: string): string[][] {
  const part = new RegExp(`<!-- ${name} -->\\n(.*?)<!-- /${name} -->`, 's').exec(text)?.[1] ?? '';
  const rows = part.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  );
}

/** True when `actual` is `expected` with anything in place of each `…`. */
export function matches(actual: string, expected: string): boolean {
  const escaped = expected
    .trim()
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('[\\s\\S]*?')}$`).test(actual.trim());
}

/** The values by key, in the order of their first. (Map.groupBy came with Node 21.) */
export function grouped<Value>(values: readonly Value[], keyOf: (value: Value) => string): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}
