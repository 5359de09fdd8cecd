/** What the architecture test holds the source tree to. Each rule gives what breaks it, with its place. */
import { builtinModules } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { Source } from './architecture.ts';

const platforms = ['node/', 'cli/'];
/** A platform without Node.js. */
const edges = ['cloudflare/'];
const isOfNode = (what: string): boolean =>
  /^(?:node:|process$|Buffer$|require$|setImmediate$)/.test(what) || builtinModules.includes(what);

/** `node/store.ts` is in `node/`; `app.ts` is its own place. */
export const placeOf = (file: string): string => (file.includes('/') ? `${file.slice(0, file.indexOf('/'))}/` : file);

const namesIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');

/** The table of src/README.md: what each place may import. */
export function readMap(text: string): Map<string, readonly string[]> {
  const lines = text.split('\n').filter((line) => line.startsWith('| `'));
  const rows = lines.map((line) => line.split('|').map((cell) => cell.trim()));
  const places = rows.map(([, place]) => namesIn(place ?? '')[0] ?? '');
  return new Map(
    rows.map(([, place, , may = '']) => {
      const named = namesIn(may);
      const allowed = may.startsWith('everything but') ? places.filter((other) => !named.includes(other)) : named;
      const name = namesIn(place ?? '')[0] ?? '';
      return [name, allowed.filter((other) => other !== name)];
    }),
  );
}

/** The file in src/ that a relative import means, or null for a package. */
const targetOf = (file: string, specifier: string): string | null =>
  specifier.startsWith('.') ? join(dirname(file), specifier) : null;

export type Sources = ReadonlyMap<string, Source>;

export function wrongImports(all: Sources, allowed: ReadonlyMap<string, readonly string[]>): string[] {
  const wrong: string[] = [];
  for (const [file, { imports }] of all) {
    for (const { specifier, line } of imports) {
      const target = targetOf(file, specifier);
      const at = `src/${file}:${line}`;
      if (target === null) continue;
      if (!all.has(target)) wrong.push(`${at} imports ${specifier}, which is no file of src/`);
      else if (placeOf(target) !== placeOf(file) && !allowed.get(placeOf(file))?.includes(placeOf(target))) {
        wrong.push(`${at} imports ${specifier}, but src/README.md does not let ${placeOf(file)} import ${placeOf(target)}`);
      }
    }
  }
  return wrong;
}

/** All files that loading this one loads, itself included. */
export function reachedFrom(all: Sources, file: string, reached = new Set<string>()): Set<string> {
  if (reached.has(file) || !all.has(file)) return reached;
  reached.add(file);
  for (const { specifier, typeOnly } of all.get(file)?.imports ?? []) {
    const target = targetOf(file, specifier);
    if (target !== null && !typeOnly) reachedFrom(all, target, reached);
  }
  return reached;
}

/** The packages and the modules of Node.js that loading this file loads. */
export function packagesReachedFrom(all: Sources, file: string): string[] {
  const found = new Set<string>();
  for (const one of reachedFrom(all, file))
    for (const { specifier, typeOnly } of all.get(one)?.imports ?? [])
      if (!typeOnly && !specifier.startsWith('.')) found.add(specifier);
  return [...found].sort();
}

/** Each cycle of imports once, as `a.ts:3 → b.ts:1 → a.ts`. */
export function cycles(all: Sources, withTypes: boolean): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly { readonly file: string; readonly line: number }[]): void => {
    const start = path.findIndex((step) => step.file === file);
    if (start >= 0) found.push([...path.slice(start).map((step) => `${step.file}:${step.line}`), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    for (const { specifier, typeOnly, line } of all.get(file)?.imports ?? []) {
      const target = targetOf(file, specifier);
      if (target !== null && (withTypes || !typeOnly)) visit(target, [...path, { file, line }]);
    }
    done.add(file);
  };
  for (const file of all.keys()) visit(file, []);
  return found;
}

/** Contracts that name each other: one thing told in several files of a folder. Values never go around. */
const acceptedTypeCycles: readonly (readonly string[])[] = [['replica/handle.ts', 'replica/replica.ts']];

export function newTypeCycles(all: Sources): string[] {
  const filesOf = (cycle: string) => cycle.split(' → ').map((step) => step.replace(/:\d+$/, ''));
  return cycles(all, true).filter(
    (cycle) => !acceptedTypeCycles.some((group) => filesOf(cycle).every((file) => group.includes(file))),
  );
}

/** Where the programs of users are imported: only they know where those are. */
const importsPrograms = ['node/config.ts'];

export function unknownPackages(all: Sources, known: readonly string[]): string[] {
  return [...all].flatMap(([file, { imports }]) =>
    imports
      .filter(({ specifier, typeOnly }) => !specifier.startsWith('.') && !specifier.startsWith('node:') && !typeOnly)
      .filter(({ specifier }) => specifier !== 'a computed import' || !importsPrograms.includes(file))
      .filter(({ specifier }) => !known.some((name) => specifier === name || specifier.startsWith(`${name}/`)))
      .map(({ specifier, line }) => `src/${file}:${line} imports ${specifier}, which is no dependency`),
  );
}

export const platformUses = (all: Sources): string[] =>
  [...all]
    .filter(([file]) => !platforms.includes(placeOf(file)))
    .flatMap(([file, { platform }]) =>
      platform
        .filter(({ what }) => !edges.includes(placeOf(file)) || isOfNode(what))
        .map(({ line, what }) => `src/${file}:${line} touches ${what}: ask the Host`),
    );

export const forbiddenUses = (all: Sources): string[] =>
  [...all].flatMap(([file, { forbidden }]) => forbidden.map(({ line, what }) => `src/${file}:${line} has ${what}`));

export const badNames = (names: Iterable<string>): string[] =>
  [...names].filter((file) => file.split('/').some((part) => /^(utils?|common|helpers?|shared|misc)(\.ts)?$/.test(part)));

export const fullIndexes = (all: Sources): string[] =>
  [...all].filter(([file, { reexportsOnly }]) => basename(file) === 'index.ts' && !reexportsOnly).map(([file]) => `src/${file}`);
