/** What `check` says of an app, with its files named as the shell that ran the command names them. */
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { App } from '../app.ts';
import { type Checked, check, checkDocuments, type Edit, type Finding } from '../check/index.ts';
import { CffbrwError, type Place } from '../error.ts';
import { type DocumentText, readDocuments } from '../node/directory.ts';
import { placed } from '../workflow/source.ts';

export interface Inspected extends Checked {
  /** Of the documents that are texts, and of other files that findings are in. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Reads the documents and checks them. A directory that is no app's is a problem like others. */
export async function inspectDirectory(directory: string): Promise<Inspected> {
  try {
    const files = await readDocuments(directory);
    return await inspected(checkDocuments(files), directory, files);
  } catch (error) {
    if (!(error instanceof CffbrwError) || error.code !== 'INVALID_APP') throw error;
    return { app: null, findings: [], problems: [error], texts: new Map() };
  }
}

/** Checks an app that was loaded from the directory. */
export const inspectApp = (app: App, directory: string): Promise<Inspected> =>
  inspected(
    { app, findings: check(app), problems: [] },
    directory,
    app.documents.map(({ source, text }) => ({ path: source.file, text })),
  );

type Known = Pick<DocumentText, 'path' | 'data'> & { readonly text: string | null };

async function inspected({ app, findings, problems }: Checked, directory: string, files: readonly Known[]): Promise<Inspected> {
  const nameOf = namesIn(directory);
  const texts = new Map(
    files.flatMap(({ path, text, data }) => (text === null || data !== undefined ? [] : [[nameOf(path), text] as const])),
  );
  const located = findings.map((finding) => locate(finding, nameOf));
  // A program that built documents is no document itself.
  for (const file of new Set(located.map(({ place }) => place.file))) {
    const text = texts.has(file) ? null : await readFile(file, 'utf8').catch(() => null);
    if (text !== null) texts.set(file, text);
  }
  return { app, findings: located, problems: problems.map((problem) => locateProblem(problem, nameOf)), texts };
}

type NameOf = (file: string) => string;

/** Relative to where the command runs, so that terminals, editors and code scanning find it; a file outside as it was given. */
function namesIn(directory: string): NameOf {
  return (file) => {
    const name = relative(process.cwd(), resolve(directory, file));
    const outside = name.startsWith('..') || isAbsolute(name);
    return (outside ? join(directory, file) : name).split(sep).join('/');
  };
}

const locatePlace = (place: Place, nameOf: NameOf): Place => ({ ...place, file: nameOf(place.file) });

function locate({ place, fix, related, ...finding }: Finding, nameOf: NameOf): Finding {
  const edit = (one: Edit): Edit => ({ ...one, place: locatePlace(one.place, nameOf), end: locatePlace(one.end, nameOf) });
  return {
    ...finding,
    place: locatePlace(place, nameOf),
    fix: { ...fix, edits: fix.edits.map(edit) },
    related: related.map((other) => ({ ...other, place: locatePlace(other.place, nameOf) })),
  };
}

const locateProblem = (problem: CffbrwError, nameOf: NameOf): CffbrwError =>
  problem.place === undefined ? problem : placed(problem, locatePlace(problem.place, nameOf));
