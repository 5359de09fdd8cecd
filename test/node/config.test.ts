/** `cffbrw.config.ts` and its kin: what loads, what is said when it does not. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadApp } from '../../src/app.ts';
import { importerOf } from '../../src/node/config.ts';
import { readDocuments } from '../../src/node/index.ts';

const home = mkdtempSync(join(tmpdir(), 'cffbrw-config-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

let count = 0;
/** An app's directory with these files. */
function directory(files: Readonly<Record<string, string>>): string {
  count += 1;
  const folder = join(home, `app-${count}`);
  mkdirSync(join(folder, 'workflows'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const settings = (app: string) => `{ cffbrw: 1, app: '${app}', variables: { hits: { strategy: 'sum-increments' } } }`;
const workflow = "{ cffbrw: 1, workflow: 'hit', on: { http: { method: 'POST', path: '/hit' } }, steps: [{ add: 'hits' }] }";
const exporting = (...documents: string[]) => `export default [${documents.join(', ')}];`;

describe('a config file', () => {
  test.each(['mjs', 'js', 'ts', 'mts'])('in cffbrw.config.%s is an app', async (type) => {
    const folder = directory({
      'package.json': '{"type":"module"}',
      [`cffbrw.config.${type}`]: exporting(settings(type), workflow),
    });
    const app = loadApp(await readDocuments(folder));
    expect([app.name, [...app.workflows.keys()]]).toEqual([type, ['hit']]);
  });

  test.each([
    'module',
    'commonjs',
  ])('in TypeScript may have types and import others, and is read again when these change: %s', async (type) => {
    const folder = directory({
      'package.json': JSON.stringify({ type }),
      'name.ts': "export const name: string = 'before';",
      'cffbrw.config.ts': `import { name } from './name.ts';\nexport default [{ ...${settings('x')}, app: name as string }];`,
    });
    expect(loadApp(await readDocuments(folder)).name).toBe('before');
    writeFileSync(join(folder, 'name.ts'), "export const name: string = 'after';");
    expect(loadApp(await readDocuments(folder)).name).toBe('after');
  });

  test('in JavaScript is read again when it changed', async () => {
    const folder = directory({ 'cffbrw.config.mjs': exporting(settings('before')) });
    expect(loadApp(await readDocuments(folder)).name).toBe('before');
    writeFileSync(join(folder, 'cffbrw.config.mjs'), exporting(settings('after')));
    utimesSync(join(folder, 'cffbrw.config.mjs'), 1, 1);
    expect(loadApp(await readDocuments(folder)).name).toBe('after');
  });

  test('stands beside workflows in YAML', async () => {
    const folder = directory({
      'cffbrw.config.mjs': exporting(settings('mixed')),
      'workflows/hit.yaml': 'cffbrw: 1\nworkflow: hit\non: { http: { method: POST, path: /hit } }\nsteps: [{ add: hits }]\n',
    });
    expect([...loadApp(await readDocuments(folder)).workflows.keys()]).toEqual(['hit']);
  });
});

describe('a config file that is wrong', () => {
  const refused = (files: Readonly<Record<string, string>>) => expect(readDocuments(directory(files))).rejects;

  test('says that it exports no app', async () => {
    for (const text of ['export const app = 1;', 'export default {};', 'export default [];', 'export default [1];'])
      await refused({ 'cffbrw.config.mjs': text }).toMatchObject({
        code: 'INVALID_APP',
        message: expect.stringContaining('does not export an app'),
      });
  });

  test('says why it did not run', async () => {
    await refused({ 'cffbrw.config.mjs': "throw new Error('no database');" }).toMatchObject({
      code: 'INVALID_APP',
      message: expect.stringContaining('no database'),
    });
  });

  test('does not stand beside cffbrw.yaml', async () => {
    await refused({ 'cffbrw.yaml': 'cffbrw: 1\napp: a\n', 'cffbrw.config.mjs': exporting(settings('b')) }).toMatchObject({
      message: expect.stringContaining('it has both cffbrw.yaml and cffbrw.config.mjs'),
    });
  });

  test('says how to run TypeScript where nothing can', async () => {
    await expect(importerOf('cffbrw.config.ts', { tsx: null, native: false })).rejects.toMatchObject({
      code: 'INVALID_APP',
      fix: expect.stringContaining('npm i -D tsx'),
    });
  });

  test('tells what is wrong in a document by its place in the program', async () => {
    const text = exporting(settings('a'), workflow.replace("add: 'hits'", "add: 'hit'"));
    const documents = await readDocuments(directory({ 'cffbrw.config.mjs': text }));
    const column = text.indexOf("'hit' }]") + 1;
    expect(() => loadApp(documents)).toThrow(`cffbrw.config.mjs:1:${column}: There is no variable \`hit\`.`);
  });
});
