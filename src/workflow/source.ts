/** A document as data, with the place of every part of it, and the problems found in it. */
import { CffbrwError, type Place } from '../error.ts';
import type { Places } from '../expression/index.ts';

/** Where a part of a document is: `['steps', 3, 'then', 0]`. */
export type Path = readonly (string | number)[];

export interface Source {
  readonly file: string;
  readonly data: unknown;
  /** The place of the value at `path`, or of its nearest part that the text has. */
  placeOf(path: Path): Place;
  /** Where the characters of the text at `path` stand, for messages that point into it. */
  textPlaceOf(path: Path): Places;
  /** The place of the name of a field. */
  keyPlaceOf(path: Path): Place;
}

/** `steps[3].then[0]`, as messages show it. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** A source for data that was built in a program: it has no text, so a place is the part's path, and the line and column within it. */
export function dataSource(file: string, data: unknown): Source {
  const placeOf = (path: Path): Place => ({ file: path.length === 0 ? file : `${file} ${pathText(path)}`, line: 1, column: 1 });
  return { file, data, placeOf, textPlaceOf: placeOf, keyPlaceOf: placeOf };
}

export const isMap = (data: unknown): data is Record<string, unknown> =>
  typeof data === 'object' && data !== null && !Array.isArray(data);

export function kindOf(data: unknown): string {
  if (data === null) return 'null';
  if (Array.isArray(data)) return 'a list';
  if (typeof data === 'object') return 'a map';
  return kindNames[typeof data] ?? typeof data;
}
const kindNames: Readonly<Record<string, string>> = { string: 'text', undefined: 'nothing' };

export interface FormPlace {
  readonly source: Source;
  readonly problems: Problems;
  /** Where in the document the data is. */
  readonly path: Path;
  /** What the data is, in messages: `A workflow`, `The step \`set\``. */
  readonly what: string;
}

/** Collects what is wrong with documents, so that an author sees all of it at once. */
export interface Problems {
  readonly list: readonly CffbrwError[];
  add(place: Place, message: string, fix?: string): void;
  /** Runs `task`; a CffbrwError that it throws becomes a problem (at `place` if it has none itself). */
  attempt<T>(place: Place, task: () => T): T | undefined;
}

export const maxProblems = 100;

export function collectProblems(): Problems {
  const list: CffbrwError[] = [];
  const push = (error: CffbrwError) => {
    if (list.length < maxProblems) list.push(error);
  };
  return {
    list,
    add: (place, message, fix) =>
      push(new CffbrwError('INVALID_DOCUMENT', message, fix === undefined ? { place } : { place, fix })),
    attempt(place, task) {
      try {
        return task();
      } catch (error) {
        if (!(error instanceof CffbrwError)) throw error;
        push(error.place === undefined ? placed(error, place) : error);
        return undefined;
      }
    },
  };
}

/** The same error at a place. */
export function placed(error: CffbrwError, place: Place): CffbrwError {
  const details = { place, cause: error.cause ?? error };
  return new CffbrwError(error.code, error.message, error.fix === undefined ? details : { ...details, fix: error.fix });
}

/** One line per problem, and one per fix: `workflows/spin.yaml:12:5: message`. */
export function formatProblem(error: CffbrwError): string {
  const where = error.place ? `${error.place.file}:${error.place.line}:${error.place.column}: ` : '';
  return `${where}${error.message}${error.fix ? `\n    ${error.fix}` : ''}`;
}
