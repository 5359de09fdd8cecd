/** From texts to functions: bare ones (conditions), strings with `${ … }` in them, and any value that holds such strings. */
import { forbiddenKeys, type Json, type JsonObject } from '../strategy/json.ts';
import { type CompileMethod, type Context, createGathered, type Gathered, type Part, siteFor } from './context.ts';
import { anyShape, type Compiled, type Frame, maxResultDepth, type Scope, type Shape } from './expression.ts';
import type { FunctionTable } from './functions/entry.ts';
import { combine, compileNode, literal, templatePart } from './node.ts';
import type { Refuse } from './refuse.ts';
import { createSource, invalid, type Places, type Site, type Source, siteOf } from './source.ts';
import type { Template, Tree } from './tree.ts';
import { charge, deepFreeze, isList, weigh } from './values.ts';

/** From texts to trees. acorn is behind one (parse.ts), what a build has parsed behind another. Throws INVALID_EXPRESSION. */
export interface Parser {
  expression(source: Source): Tree;
  template(source: Source): Template;
}

export interface ExpressionCompiler {
  /** A bare expression, as in `when:`. Throws INVALID_EXPRESSION. */
  compileExpression(source: string, scope: Scope, findPlaces?: () => Places): Compiled;
  /**
   * A string with `${ … }` parts. One that is exactly one `${ … }` keeps the type of its value; any other is a text. `$${` stands for a
   * literal `${`. Throws INVALID_EXPRESSION.
   */
  compileTemplate(value: string, scope: Scope, findPlaces?: () => Places): Compiled;
  /**
   * Any JSON value, with templates inside its strings at any depth. `placesOf` tells where the string at a path stands (`[]` for the value
   * itself). Keys are literal. Throws INVALID_EXPRESSION.
   */
  compileValue(value: Json, scope: Scope, placesOf?: (path: Path) => Places): Compiled;
}

const nowhere = (): Places => undefined;

/** What a language is made of. */
export interface CompilerParts {
  readonly parser: Parser;
  readonly functions: FunctionTable;
  readonly compileMethod: CompileMethod;
  readonly refuse: Refuse;
}

export const createCompiler = (parts: CompilerParts): ExpressionCompiler => ({
  compileExpression(source, scope, findPlaces = nowhere) {
    const gathered = createGathered();
    const context = contextOf(source, { ...parts, scope, gathered, findPlaces });
    const tree = parts.parser.expression(context.source);
    gathered.trees.push(tree);
    return finish(compileNode(tree, context), gathered, siteFor(context, tree));
  },
  compileTemplate(value, scope, findPlaces = nowhere) {
    const gathered = createGathered();
    const context = contextOf(value, { ...parts, scope, gathered, findPlaces });
    return finish(textPart(context, parts.parser), gathered, siteOf(context.source, 0, value.length));
  },
  compileValue(value, scope, placesOf = nowhere) {
    const gathered = createGathered();
    const part = valuePart(value, [], { ...parts, scope, gathered, placesOf });
    return finish(part, gathered, {
      get text() {
        return siteAt(JSON.stringify(value), nowhere).text;
      },
      get place() {
        return siteAt('', () => placesOf([])).place;
      },
    });
  },
});

interface Compilation extends CompilerParts {
  readonly scope: Scope;
  readonly gathered: Gathered;
}

const noParameters: Context['parameters'] = new Map();

const contextOf = (
  text: string,
  { functions, compileMethod, refuse, scope, gathered, findPlaces }: Compilation & { findPlaces: () => Places },
): Context => ({
  ...{ functions, compileMethod, refuse, scope, gathered },
  compile: compileNode,
  source: createSource(text, findPlaces),
  parameters: noParameters,
  inKey: false,
  inArrow: false,
});

function textPart(context: Context, parser: Parser): Part {
  const { texts, parts } = parser.template(context.source);
  context.gathered.trees.push(...parts);
  const [only] = parts;
  if (only !== undefined && parts.length === 1 && texts.every((text) => text === '')) return compileNode(only, context);
  return templatePart(texts, parts, context);
}

type Path = readonly (string | number)[];
type ValueCompilation = Compilation & { readonly placesOf: (path: Path) => Places };

function valuePart(value: Json, path: Path, compilation: ValueCompilation): Part {
  if (typeof value === 'string') {
    if (!value.includes('${')) return literal(value);
    const { parser, placesOf } = compilation;
    return textPart(contextOf(value, { ...compilation, findPlaces: () => placesOf(path) }), parser);
  }
  if (typeof value !== 'object' || value === null) return literal(value);
  if (path.length >= maxResultDepth)
    throw invalid(
      siteAt('', () => compilation.placesOf(path)),
      `the value is nested more than ${maxResultDepth} deep`,
    );
  return isList(value) ? listPart(value, path, compilation) : objectPart(value, path, compilation);
}

function listPart(value: readonly Json[], path: Path, compilation: ValueCompilation): Part {
  const parts = value.map((item, index) => valuePart(item, [...path, index], compilation));
  if (parts.every((part) => part.constant)) return constantPart(parts, (frame) => parts.map((part) => part.evaluate(frame)));
  const evaluates = parts.map((part) => part.evaluate);
  return combine(parts, (frame) => evaluates.map((evaluate) => evaluate(frame)), { shape: anyShape, makes: true });
}

function objectPart(value: JsonObject, path: Path, compilation: ValueCompilation): Part {
  const keys = Object.keys(value);
  for (const key of keys) checkKey(key, () => compilation.placesOf([...path, key]));
  const parts = keys.map((key) => valuePart(value[key] ?? null, [...path, key], compilation));
  const evaluate = (frame: Frame): JsonObject => {
    const result: Record<string, Json> = {};
    for (let index = 0; index < keys.length; index++) result[keys[index] as string] = (parts[index] as Part).evaluate(frame);
    return result;
  };
  const properties = new Map<string, Shape>(keys.map((key, index) => [key, (parts[index] as Part).shape]));
  const shape: Shape = { kind: 'object', properties, open: false };
  if (parts.every((part) => part.constant)) return { ...constantPart(parts, evaluate), shape };
  return combine(parts, evaluate, { shape, makes: true });
}

/** Made once, and frozen, because every run gets the same one. */
function constantPart(parts: readonly Part[], evaluate: (frame: Frame) => Json): Part {
  let value: Json | undefined;
  return combine(
    parts,
    (frame) => {
      value ??= deepFreeze(evaluate(frame));
      return value;
    },
    { shape: anyShape },
  );
}

function checkKey(key: string, findPlaces: () => Places): void {
  if (forbiddenKeys.has(key)) throw invalid(siteAt(key, findPlaces), 'this key is not allowed', 'Choose another key.');
  if (!key.includes('${')) return;
  throw invalid(siteAt(key, findPlaces), 'keys are literal', 'Write the object as one expression: `${ { [key]: value } }`.');
}

const siteAt = (text: string, findPlaces: () => Places): Site => siteOf(createSource(text, findPlaces), 0, text.length);

/** One charge pays for every node that is evaluated at most once; arrows and functions pay for the rest as they go. */
function finish({ evaluate, cost, constant, makes, shape }: Part, gathered: Gathered, site: Site): Compiled {
  const weighed = (frame: Frame): Json => {
    charge(frame.fuel, cost, site);
    const value = evaluate(frame);
    if (typeof value === 'object' && value !== null) weigh(value, frame.fuel, site);
    return value;
  };
  const plain = (frame: Frame): Json => {
    charge(frame.fuel, cost, site);
    return evaluate(frame);
  };
  const { reads, names, secrets, trees } = gathered;
  return { reads, names, secrets, trees, constant, shape, evaluate: makes && !constant ? weighed : plain };
}
