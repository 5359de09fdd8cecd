/** From an app to what `cffbrw build` writes. */
import { type App, assembleApp, type LoadedDocument } from '../assemble.ts';
import { createCompiler, type Parser } from '../expression/compiler.ts';
import { functions } from '../expression/functions.ts';
import { compileMethod } from '../expression/methods.ts';
import { acornParser } from '../expression/parse.ts';
import { refuse } from '../expression/refuse.ts';
import type { Template, Tree } from '../expression/tree.ts';
import { isObject } from '../strategy/json.ts';
import { plainSchema } from '../strategy/plain-schema.ts';
import type { Language } from '../workflow/compiler.ts';
import { language } from '../workflow/language.ts';
import { collectProblems, type Path, type Source } from '../workflow/source.ts';
import {
  type BuiltApp,
  type BuiltContent,
  type BuiltDocument,
  type BuiltPlaces,
  type BuiltUses,
  builtFormat,
  digestOfContent,
  textStyles,
} from './built.ts';

/** The app compiles once more, and what its expressions were parsed to is noted. */
export function buildApp(app: App): BuiltApp {
  const documents = app.documents.map((one) => ({ ...one, document: plain(one.document) }) as LoadedDocument);
  const notes = createNotes();
  assembleApp(documents, { language: noting(notes), problems: collectProblems() });
  const content = plain<BuiltContent>({
    uses: usesOf(app, notes),
    documents: documents.map(builtDocument),
    expressions: [...notes.expressions],
    templates: [...notes.templates],
  });
  return { cffbrw: 'built', format: builtFormat, digest: digestOfContent(content), ...content };
}

const createNotes = () => ({
  expressions: new Map<string, Tree>(),
  templates: new Map<string, Template>(),
  verbs: new Set<string>(),
  calls: new Set<string>(),
  methods: new Set<string>(),
  schemas: new Set<unknown>(),
});
type Notes = ReturnType<typeof createNotes>;

/** The language, with what is asked of it noted. */
function noting({ expressions, templates, verbs, calls, methods, schemas }: Notes): Language {
  const parser: Parser = {
    expression: (source) => noted(expressions, source.text, acornParser.expression(source)),
    template: (source) => noted(templates, source.text, acornParser.template(source)),
  };
  const called = {
    keys: () => functions.keys(),
    get: (name: string) => {
      calls.add(name);
      return functions.get(name);
    },
  };
  return {
    ...language,
    ...createCompiler({
      ...{ parser, refuse, functions: called },
      compileMethod(tree, context) {
        methods.add(tree.name);
        return compileMethod(tree, context);
      },
    }),
    compileSchema(schema) {
      if (isObject(schema) && plainSchema(schema) === null) schemas.add(schema);
      return language.compileSchema(schema);
    },
    readStep(data, place) {
      const read = language.readStep(data, place);
      if (read === undefined) return undefined;
      verbs.add(read.verb.verb);
      // The form gives what is inside a step its own order, in which it is evaluated: who loads it has no form to ask.
      return { verb: read.verb, step: Object.assign(data as object, read.step) };
    },
  };
}

function noted<Value>(table: Map<string, Value>, text: string, value: Value): Value {
  table.set(text, value);
  return value;
}

const usesOf = (app: App, { verbs, calls, methods, schemas }: Notes): BuiltUses => ({
  strategies: [...new Set([...app.variables.values()].map(({ strategy }) => strategy))].sort(),
  ...{ verbs: [...verbs].sort(), functions: [...calls].sort(), methods: methods.size > 0 },
  ...{ schedules: app.startCron !== null, patterns: app.createPathRouter !== null, schemas: schemas.size > 0 },
});

const plain = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));

const builtDocument = ({ kind, source, document }: LoadedDocument): BuiltDocument => ({
  ...{ kind, file: source.file, document },
  places: builtPlaces(source, document),
});

function builtPlaces(source: Source, document: unknown): BuiltPlaces | null {
  const { file } = source.placeOf([]);
  // Where a place is a path, each part has another.
  if (source.placeOf(['cffbrw']).file !== file) return null;
  const parts: number[] = [];
  addPlaces(source, { path: [], value: document, before: 0 }, parts);
  return { file, parts };
}

interface Part {
  readonly path: Path;
  readonly value: unknown;
  /** The line of the part before. */
  readonly before: number;
}

/** Answers with the line of the last part. */
function addPlaces(source: Source, { path, value, before }: Part, parts: number[]): number {
  const [at, key] = [source.placeOf(path), source.keyPlaceOf(path)];
  const named = key.line !== at.line || key.column !== at.column;
  const style = textStyles.indexOf(styleAt(source, path));
  parts.push(at.line - before, at.column, named ? key.line - at.line : 0, named ? key.column : 0, style);
  let last = at.line;
  if (typeof value !== 'object' || value === null) return last;
  for (const [name, inside] of Object.entries(value))
    last = addPlaces(source, { path: [...path, Array.isArray(value) ? Number(name) : name], value: inside, before: last }, parts);
  return last;
}

function styleAt(source: Source, path: Path): (typeof textStyles)[number] {
  const text = source.textPlaceOf(path);
  if (typeof text === 'function') return 'literal';
  return text?.column === source.placeOf(path).column ? 'plain' : 'quoted';
}
