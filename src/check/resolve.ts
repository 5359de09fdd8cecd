/** From the values and conditions of a document to terms: parses each text once, and puts in what names stand for. */
import { parseExpression, parseTemplate } from '../expression/parse.ts';
import type { Spread, Tree, TreeOf } from '../expression/tree.ts';
import type { Json } from '../strategy/json.ts';
import { createTerms, type Field, type Term, type Terms } from './term.ts';

export type Names = ReadonlyMap<string, Term>;

export interface Resolver {
  readonly terms: Terms;
  /** A value of a document: its strings may be templates. */
  value(data: unknown, names: Names): Term;
  condition(source: string | boolean, names: Names): Term;
  /** The trees of a string of a document, for edits of its text. */
  trees(text: string, isCondition: boolean): readonly Tree[];
}

interface Parsed {
  readonly texts: readonly string[];
  readonly parts: readonly Tree[];
}

/** `keyed` says which variables are. */
export function createResolver(keyed: (variable: string) => boolean): Resolver {
  const terms = createTerms();
  const parsed = new Map<string, Parsed>();
  let fresh = 0;
  const parse = (text: string, isCondition: boolean): Parsed => {
    const id = `${isCondition ? 'c' : 'v'}${text}`;
    const found = parsed.get(id) ?? parseText(text, isCondition);
    parsed.set(id, found);
    return found;
  };
  const converting = (names: Names): Converting => ({ terms, names, keyed, fresh: () => fresh++ });
  const value = (data: unknown, names: Names): Term => {
    if (typeof data === 'string') return ofText(parse(data, false), converting(names));
    if (Array.isArray(data)) return terms.operation('list', ...data.map((one) => value(one, names)));
    if (typeof data !== 'object' || data === null) return terms.literal((data ?? null) as Json);
    return terms.object(Object.entries(data).map(([name, one]) => ({ name, value: value(one, names) })));
  };
  return {
    terms,
    value,
    condition: (source, names) => ofText(parse(String(source), true), converting(names)),
    trees: (text, isCondition) => parse(text, isCondition).parts,
  };
}

function parseText(text: string, isCondition: boolean): Parsed {
  const source = { text, placeAt: () => undefined };
  if (isCondition) return { texts: ['', ''], parts: [parseExpression(source)] };
  return text.includes('${') ? parseTemplate(source) : { texts: [text], parts: [] };
}

/** A string that is exactly one expression keeps its type. */
function ofText({ texts, parts }: Parsed, context: Converting): Term {
  const { terms } = context;
  if (parts.length === 0) return terms.literal(texts[0] ?? '');
  const made = parts.map((part) => convert(part, context));
  const [only] = made;
  if (only !== undefined && made.length === 1 && texts.every((text) => text === '')) return only;
  return terms.operation('template', ...texts.map((text) => terms.literal(text)), ...made);
}

interface Converting {
  readonly terms: Terms;
  readonly names: Names;
  keyed(variable: string): boolean;
  fresh(): number;
}

function convert(tree: Tree, context: Converting): Term {
  const { terms } = context;
  const all = (...trees: readonly Tree[]) => trees.map((one) => convert(one, context));
  switch (tree.kind) {
    case 'literal':
      return terms.literal(tree.value);
    case 'name':
      return context.names.get(tree.name) ?? terms.symbol('other', tree.name);
    case 'member':
    case 'index':
      return convertMember(tree, context);
    case 'object':
      return terms.object(tree.properties.map((property) => fieldOf(property, context)));
    case 'list':
      return terms.operation('list', ...tree.items.map((item) => convert(item.kind === 'spread' ? item.value : item, context)));
    case 'template':
      return terms.operation('template', ...tree.texts.map((text) => terms.literal(text)), ...all(...tree.parts));
    case 'not':
    case 'negate':
      return terms.operation(tree.kind, ...all(tree.value));
    case 'binary':
    case 'logical':
      return terms.operation(tree.operator, ...all(tree.left, tree.right));
    case 'conditional':
      return terms.operation('either', ...all(tree.test, tree.consequent, tree.alternate));
    case 'call':
      return convertCall(tree, context);
    case 'method':
      return convertMethod(tree, context);
  }
}

function fieldOf(property: TreeOf<'object'>['properties'][number], context: Converting): Field {
  const value = convert(property.value, context);
  if (property.kind === 'spread') return { name: null, value };
  return { name: property.name ?? (property.computed && convert(property.computed, context)), value };
}

function convertMember(tree: TreeOf<'member' | 'index'>, context: Converting): Term {
  const { terms } = context;
  const read = readAt(tree, context);
  if (read !== null)
    return terms.read({ variable: read.variable, key: read.key && convert(read.key, context), window: 'current' });
  if (tree.kind === 'member') {
    if (isRoot(tree.object, 'secrets', context)) return terms.symbol('secret', tree.name);
    return terms.member(convert(tree.object, context), tree.name);
  }
  const object = convert(tree.object, context);
  const index = convert(tree.index, context);
  if (index.kind === 'literal' && typeof index.value === 'string') return terms.member(object, index.value);
  return terms.operation('index', object, index);
}

const isRoot = (tree: Tree | Spread, root: string, { names }: { readonly names: Names }): boolean =>
  tree.kind === 'name' && tree.name === root && !names.has(root);

/** `vars.x`, or `vars.x[key]`; null for anything else. */
export function readAt(
  tree: Tree,
  context: { readonly names: Names; keyed(variable: string): boolean },
): { readonly variable: string; readonly key: Tree | null } | null {
  const named = nameOfVariable(tree, context);
  if (named !== null) return context.keyed(named) ? null : { variable: named, key: null };
  if (tree.kind !== 'index') return null;
  const variable = nameOfVariable(tree.object, context);
  return variable !== null && context.keyed(variable) ? { variable, key: tree.index } : null;
}

function nameOfVariable(tree: Tree, context: { readonly names: Names }): string | null {
  if ((tree.kind !== 'member' && tree.kind !== 'index') || !isRoot(tree.object, 'vars', context)) return null;
  if (tree.kind === 'member') return tree.name;
  return tree.index.kind === 'literal' && typeof tree.index.value === 'string' ? tree.index.value : null;
}

/** Drawn anew wherever they stand. */
const drawn: ReadonlySet<string> = new Set(['random', 'uuid']);

function convertCall(tree: TreeOf<'call'>, context: Converting): Term {
  const { terms } = context;
  if (drawn.has(tree.name)) return terms.symbol('other', `${tree.name} ${context.fresh()}`);
  if (tree.name === 'now') return terms.symbol('other', 'now()');
  const parts = tree.parameters.map((one) => convert(one, context));
  // Nothing of a key shows in a digest.
  const seen = tree.name === 'hmac' ? parts.slice(1) : parts;
  return terms.operation(tree.name === 'age' ? 'age' : `${tree.name}()`, ...seen);
}

function convertMethod(tree: TreeOf<'method'>, context: Converting): Term {
  const { terms } = context;
  const names = new Map(context.names);
  for (const name of tree.arrow.parameters) names.set(name, terms.symbol('other', `=> ${name}`));
  const object = convert(tree.object, context);
  const body = convert(tree.arrow.body, { ...context, names });
  return terms.operation(`.${tree.name}()`, object, body, ...tree.parameters.map((one) => convert(one, context)));
}
