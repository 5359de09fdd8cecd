/** An app from what its author wrote: YAML, JSON, or data of a program. Reads no files: the caller brings their texts. */
import { checkApp } from './app-checks.ts';
import { type App, assembleApp, type LoadedDocument } from './assemble.ts';
import { checkJson } from './strategy/json.ts';
import { checkDocument } from './workflow/document.ts';
import { language } from './workflow/language.ts';
import { type Program, programSource } from './workflow/literal.ts';
import { collectProblems, dataSource, type Problems, type Source } from './workflow/source.ts';
import { readYaml } from './workflow/yaml.ts';

export type { App, AppSettings, LoadedDocument } from './assemble.ts';

/** A document with the name that messages call it by. */
export interface AppFile {
  readonly path: string;
  readonly text: string;
  /** The document itself, where a program built it. */
  readonly data?: unknown;
  /** The text of that program: places are in it then. */
  readonly program?: Program;
}

/** An app from the texts of its documents: `cffbrw.yaml` and any number of workflows. Throws INVALID_APP, with all that is wrong. */
export function loadApp(files: readonly AppFile[]): App {
  const problems = collectProblems();
  const sources = files.flatMap(({ path, text, data, program }) => {
    const source = data === undefined ? readYaml(path, text, problems) : readData(path, data, { problems, program });
    return source ? [{ source, text: data === undefined ? text : null }] : [];
  });
  return build(sources, problems);
}

/** An app from documents that are data already. Throws INVALID_APP, with all that is wrong. */
export function createApp(documents: readonly unknown[]): App {
  const problems = collectProblems();
  const sources = documents.flatMap((data, index) => {
    const source = readData(nameOf(data, index), data, { problems, program: undefined });
    return source ? [{ source, text: null }] : [];
  });
  return build(sources, problems);
}

interface ReadOptions {
  readonly problems: Problems;
  readonly program: Program | undefined;
}

function readData(name: string, data: unknown, { problems, program }: ReadOptions): Source | undefined {
  const source = program === undefined ? dataSource(name, data) : programSource(name, data, program);
  return problems.attempt(source.placeOf([]), () => ({ ...source, data: plain(data) }));
}

function nameOf(data: unknown, index: number): string {
  const { workflow, app } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  if (typeof workflow === 'string') return `workflow ${workflow}`;
  return typeof app === 'string' ? `app ${app}` : `document ${index + 1}`;
}

function plain(data: unknown): unknown {
  return checkJson(data, { depth: 64, bytes: 1_048_576 });
}

interface Read {
  readonly source: Source;
  readonly text: string | null;
}

function build(sources: readonly Read[], problems: Problems): App {
  const checked = sources.flatMap(({ source, text }): LoadedDocument[] => {
    const document = checkDocument(source, problems);
    return document ? [{ ...document, text }] : [];
  });
  return assembleApp(checked, { language, problems, check: checkApp });
}
