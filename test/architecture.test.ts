import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readSource, type Source } from './architecture.ts';
import {
  badNames,
  cycles,
  forbiddenUses,
  fullIndexes,
  newTypeCycles,
  packagesReachedFrom,
  placeOf,
  platformUses,
  reachedFrom,
  readMap,
  type Sources,
  unknownPackages,
  wrongImports,
} from './architecture-rules.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort();
const sources = new Map(
  files.map((file): [string, Source] => [file, readSource(file, readFileSync(join(root, 'src', file), 'utf8'))]),
);
const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
};

/** Packages that draw pictures for the command: who uses the library has no need of them. */
const bundled = ['@observablehq/plot', '@xmldom/xmldom'];

const map = readMap(readFileSync(join(root, 'src/README.md'), 'utf8'));

describe('the source tree', () => {
  test('every import is one that the map in src/README.md allows', () => {
    expect(wrongImports(sources, map)).toEqual([]);
  });

  test('no file imports itself over others', () => {
    expect(cycles(sources, false)).toEqual([]);
  });

  test('not even for types, but for the contracts that name each other', () => {
    expect(newTypeCycles(sources)).toEqual([]);
  });

  test('the map names every place in src/, and nothing else', () => {
    const places = new Set(files.map(placeOf));
    const gone = [...map.keys()].filter((place) => !places.has(place));
    const unlisted = [...places].filter((place) => !map.has(place));
    expect({ gone, unlisted }).toEqual({ gone: [], unlisted: [] });
  });

  test('the map itself has no cycle and names only places that it lists', () => {
    const left = new Map([...map].map(([place, may]) => [place, new Set(may)]));
    for (const may of map.values()) expect(may.filter((place) => !map.has(place))).toEqual([]);
    for (let before = -1; before !== left.size; ) {
      before = left.size;
      const free = [...left].filter(([, may]) => [...may].every((other) => !left.has(other))).map(([place]) => place);
      for (const place of free) left.delete(place);
    }
    expect([...left.keys()]).toEqual([]);
  });

  test('only the platforms touch Node.js, the wall clock, timers, chance and the network', () => {
    expect(platformUses(sources)).toEqual([]);
  });

  test('nothing makes code from text, and nothing is of type any', () => {
    expect(forbiddenUses(sources)).toEqual([]);
  });

  test('every package that is imported is a dependency', () => {
    const { dependencies, peerDependencies } = packageJson;
    expect(unknownPackages(sources, [...Object.keys({ ...dependencies, ...peerDependencies }), ...bundled])).toEqual([]);
  });

  test('what is only bundled into the command is reached from there alone', () => {
    const users = files.filter((file) => sources.get(file)?.imports.some(({ specifier }) => bundled.includes(specifier)));
    expect(users).toEqual(['simulate/picture-timeline.ts', 'simulate/picture.ts']);
    const indexes = files.filter((file) => basename(file) === 'index.ts');
    expect(indexes.flatMap((file) => [...reachedFrom(sources, file)]).filter((file) => users.includes(file))).toEqual([]);
  });

  test('an app that was built is loaded without what parses and checks documents, and without Node.js', () => {
    const small = [/^@cfworker\/json-schema$/, /^@noble\/hashes\//, /^croner$/, /^hono(\/|$)/, /^cloudflare:/];
    expect(reachedFrom(sources, 'built/index.ts').size).toBeGreaterThan(50);
    for (const entry of ['built/index.ts', 'cloudflare/index.ts'].filter((file) => sources.has(file))) {
      const reached = [...reachedFrom(sources, entry)];
      expect(reached.filter((file) => /^(check|cli|node|simulate|define)\//.test(file))).toEqual([]);
      expect(packagesReachedFrom(sources, entry).filter((name) => !small.some((allowed) => allowed.test(name)))).toEqual([]);
    }
  });

  test('an index only re-exports, and no name says nothing', () => {
    expect(fullIndexes(sources)).toEqual([]);
    expect(badNames(files)).toEqual([]);
  });

  test('every folder with an index is a subpath of the package, and every subpath has its index', () => {
    const built = Object.values(packageJson.exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry]));
    const named = built.map((entry) => relative('dist', entry.default).replace(/\.js$/, '.ts'));
    expect(built.map((entry) => entry.types)).toEqual(built.map((entry) => entry.default.replace(/\.js$/, '.d.ts')));
    expect(named.filter((file) => !sources.has(file))).toEqual([]);
    const indexes = files.filter((file) => basename(file) === 'index.ts' && file.split('/').length <= 2);
    expect(indexes.filter((file) => !named.includes(file))).toEqual([]);
    const commands = Object.values(packageJson.bin).map((file) => relative('dist', file).replace(/\.js$/, '.ts'));
    expect(commands.filter((file) => !sources.has(file))).toEqual([]);
  });
});

describe('the checks themselves', () => {
  const tree = (texts: Readonly<Record<string, string>>): Sources =>
    new Map(Object.entries(texts).map(([file, text]) => [file, readSource(file, text)]));
  const platform = (text: string) => readSource('a.ts', text).platform.map(({ what }) => what);
  const forbidden = (text: string) => readSource('a.ts', text).forbidden.map(({ what }) => what);

  test.each([
    ["import { x } from '../b/b.ts';"],
    ["import type { X } from '../b/b.ts';"],
    ["import '../b/b.ts';"],
    ["export { x } from '../b/b.ts';"],
    ["export * from '../b/b.ts';"],
    ["export type { X } from '../b/b.ts';"],
    ["const load = () => import('../b/b.ts');"],
    ["type X = import('../b/b.ts').X;"],
  ])('an import that the map does not list is seen, with its line: %s', (text) => {
    const all = tree({ 'a/a.ts': `\n${text}`, 'b/b.ts': 'export const x = 1;' });
    const readme = '| place | what | may |\n| --- | --- | --- |\n| `a/` | one | |\n| `b/` | two | `a/` |';
    expect(wrongImports(all, readMap(readme))).toEqual([
      'src/a/a.ts:2 imports ../b/b.ts, but src/README.md does not let a/ import b/',
    ]);
    const turned = readMap('| `a/` | one | everything but `c/` |\n| `b/` | two | |\n| `c/` | three | |');
    expect(wrongImports(all, turned)).toEqual([]);
  });

  test('a package that is reached over another file is seen, and one that is only a type is not', () => {
    const all = tree({
      'a.ts': "import './b.ts';\nimport type * as z from 'zod';",
      'b.ts': "import 'acorn';\nimport 'node:fs';",
    });
    expect(packagesReachedFrom(all, 'a.ts')).toEqual(['acorn', 'node:fs']);
  });

  test('an import of a file that is not there, of a place outside, and of an unknown package is seen', () => {
    const all = tree({ 'a/a.ts': "import './gone.ts';\nimport '../../test/x.ts';\nimport 'left-pad';\nimport 'hono/cors';" });
    expect(wrongImports(all, new Map())).toEqual([
      'src/a/a.ts:1 imports ./gone.ts, which is no file of src/',
      'src/a/a.ts:2 imports ../../test/x.ts, which is no file of src/',
    ]);
    expect(unknownPackages(all, ['hono'])).toEqual(['src/a/a.ts:3 imports left-pad, which is no dependency']);
  });

  test('a cycle is seen, also one of types or through an export', () => {
    const all = tree({
      'a.ts': "import { b } from './b.ts';",
      'b.ts': "export { c } from './c.ts';",
      'c.ts': "import type { A } from './a.ts';",
      'd.ts': "import { a } from './a.ts';",
    });
    expect(cycles(all, true)).toEqual(['a.ts:1 → b.ts:1 → c.ts:1 → a.ts']);
    expect(newTypeCycles(all)).toEqual(cycles(all, true));
    expect(cycles(all, false)).toEqual([]);
    const ofValues = tree({ 'a.ts': "\nimport './b.ts';", 'b.ts': "export const a = () => import('./a.ts');" });
    expect(cycles(ofValues, false)).toEqual(['a.ts:2 → b.ts:1 → a.ts']);
  });

  test.each([
    ['import { readFileSync } from "node:fs";', 'node:fs'],
    ['import fs from "fs";', 'fs'],
    ['const x = await import("node:fs");', 'node:fs'],
    ['export * from "node:fs/promises";', 'node:fs/promises'],
    ['const x = process.env.HOME;', 'process'],
    ['const x = globalThis.process;', 'process'],
    ['const x = globalThis["process"];', 'process'],
    ['const { process: p } = globalThis;', 'process'],
    ['const x = Buffer.from("");', 'Buffer'],
    ['let x: Buffer;', 'Buffer'],
    ['const x = Date.now();', 'Date.now'],
    ['const clock = Date.now;', 'Date.now'],
    ['const x = Date["now"]();', 'Date.now'],
    ['const { now } = Date;', 'Date.now'],
    ['const x = globalThis.Date.now();', 'Date.now'],
    ['const x = new Date();', 'new Date() without an argument'],
    ['const x = Date();', 'Date()'],
    ['const x = Math.random();', 'Math.random'],
    ['const { random } = Math;', 'Math.random'],
    ['setTimeout(() => {}, 1);', 'setTimeout'],
    ['setInterval(() => {}, 1);', 'setInterval'],
    ['const later = setImmediate;', 'setImmediate'],
    ['const x = { setTimeout };', 'setTimeout'],
    ['const x = performance.now();', 'performance'],
    ['const x = crypto.randomUUID();', 'crypto.randomUUID'],
    ['globalThis.crypto.getRandomValues(bytes);', 'crypto.getRandomValues'],
    ['const x = crypto.subtle.digest(name, bytes);', 'crypto.subtle'],
    ['const x = crypto?.randomUUID();', 'crypto.randomUUID'],
    ['await fetch("http://x");', 'fetch'],
    ['const x = AbortSignal.timeout(5);', 'AbortSignal.timeout'],
    ['const x = require("x");', 'require'],
    ['function f(process: number) {}\nconst x = process;', 'process'],
  ])('what only a platform may do is seen: %s', (text, what) => {
    expect(platform(text)).toContain(what);
    expect(platformUses(tree({ 'http/a.ts': text }))).not.toEqual([]);
    expect(platformUses(tree({ 'node/a.ts': text, 'cli/a.ts': text }))).toEqual([]);
  });

  test('the edge has timers and a clock, and nothing of Node.js', () => {
    const edge = (text: string) => platformUses(tree({ 'cloudflare/a.ts': text })).length;
    expect(['setTimeout(() => {}, 1);', 'const x = Date.now();', 'crypto.getRandomValues(bytes);'].map(edge)).toEqual([0, 0, 0]);
    expect(['import fs from "node:fs";', 'import fs from "fs";', 'process.env.X;', 'Buffer.from("");'].map(edge)).toEqual([
      1, 1, 1, 1,
    ]);
  });

  test.each([
    'const x = host.now() + options.process.length;',
    'const x = new Date(host.now());',
    'const f = (process: Process) => process.alive;',
    'const f = ({ fetch }: Source) => fetch(request);',
    'interface Host { fetch(request: Request): void; process: string; setTimeout: number }',
    'const x = { fetch: 1, process: 2, performance() {} };',
    'const process = start();\nprocess.kill();',
    'import { process } from "./process.ts";\nprocess.kill();',
    'for (const process of all) process.kill();',
    'type Task = (process: Process) => void;',
    'const x = Math.floor(1.5);',
    'class Store { process = 1; fetch() { return this.process; } }',
    'const text = "Date.now() and process.env";',
  ])('what is no such thing is not: %s', (text) => {
    expect([...platform(text), ...forbidden(text)]).toEqual([]);
  });

  test.each([
    ['eval("1");', 'eval'],
    ['const run = globalThis.eval;', 'eval'],
    ['const f = new Function("return 1");', 'new Function'],
    ['const f = Function("return 1");', 'new Function'],
    ['const f = new globalThis.Function("return 1");', 'new Function'],
    ['const x = y as any;', 'any'],
  ])('code made from text, and any, are seen everywhere: %s', (text, what) => {
    expect(forbidden(`\n\n${text}`)).toContain(what);
    expect(forbiddenUses(tree({ 'node/a.ts': `\n\n${text}` }))).toEqual([`src/node/a.ts:3 has ${what}`]);
  });

  test('an index that does more than re-export, and a name that says nothing, are seen', () => {
    const good = "export { a } from './a.ts';\nexport type { B } from './b.ts';\nexport * from './c.ts';";
    expect(fullIndexes(tree({ 'a/index.ts': good, 'b/b.ts': 'export const b = 1;' }))).toEqual([]);
    for (const bad of ['export const a = 1;', "import './a.ts';", "import { a } from './a.ts';\nexport { a };"]) {
      expect(fullIndexes(tree({ 'a/index.ts': bad }))).toEqual(['src/a/index.ts']);
    }
    const names = ['a/utils.ts', 'utils/a.ts', 'helper.ts', 'a/shared/b.ts', 'common.ts'];
    expect(badNames([...names, 'a/commonmark.ts', 'store/store.ts'])).toEqual(names);
  });
});
