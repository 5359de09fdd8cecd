/**
 * `responses.filter(r => …)` in a check, evaluated once per response instead of once per response and check: what was answered never changes,
 * so what it filters to only grows.
 *
 * Invariant:
 *   F1  The value is the one that the expression as it was written gives. Where a filter fails, that one is asked.
 */
import { type Compiled, compileExpression, type Scope, type Tree } from '../expression/index.ts';
import type { Json } from '../strategy/json.ts';

export interface KeptFilter {
  /** The name that stands for the filtered list. */
  readonly name: string;
  /** Whether a response, `values[0]`, is in it. */
  readonly holds: Compiled;
}

export interface Rewritten {
  readonly compiled: Compiled;
  readonly filters: readonly KeptFilter[];
}

type Filter = Extract<Tree, { kind: 'method' }>;

/** The same expression over lists that are kept; null where there is nothing to keep. `scope` has `responses` as value 0. */
export function keepFilters(text: string, written: Compiled, scope: Scope): Rewritten | null {
  const found: Filter[] = [];
  for (const tree of written.trees) findFilters(tree, found);
  const filters: KeptFilter[] = [];
  const names = new Map(scope.names);
  let rewritten = text;
  for (const filter of found.sort((a, b) => b.start - a.start)) {
    const name = `filtered${filters.length}`;
    filters.push({ name, holds: predicateOf(text, filter) });
    names.set(name, filters.length);
    rewritten = `${rewritten.slice(0, filter.start)}${name}${rewritten.slice(filter.end)}`;
  }
  if (filters.length === 0) return null;
  return { compiled: compileExpression(rewritten, { ...scope, names }), filters };
}

function predicateOf(text: string, { arrow }: Filter): Compiled {
  const [parameter = ''] = arrow.parameters;
  return compileExpression(text.slice(arrow.body.start, arrow.body.end), {
    names: new Map([[parameter, 0]]),
    variables: new Map(),
  });
}

/** The outermost filters of all responses whose condition looks at nothing but the response. */
function findFilters(tree: Tree, found: Filter[]): void {
  if (isKeepable(tree)) found.push(tree);
  else for (const part of partsOf(tree)) findFilters(part, found);
}

const isKeepable = (tree: Tree): tree is Filter =>
  tree.kind === 'method' &&
  tree.name === 'filter' &&
  tree.object.kind === 'name' &&
  tree.object.name === 'responses' &&
  tree.arrow.parameters.length === 1 &&
  looksAtOnly(tree.arrow.body, new Set(tree.arrow.parameters));

/** What asks for the moment (`now()`) may change; everything else is a function of its names. */
function looksAtOnly(tree: Tree, names: ReadonlySet<string>): boolean {
  if (tree.kind === 'name') return names.has(tree.name);
  if (tree.kind === 'call' && ['now', 'random', 'uuid', 'age'].includes(tree.name)) return false;
  if (tree.kind !== 'method') return partsOf(tree).every((part) => looksAtOnly(part, names));
  const inner = new Set([...names, ...tree.arrow.parameters]);
  return [tree.object, ...tree.parameters].every((part) => looksAtOnly(part, names)) && looksAtOnly(tree.arrow.body, inner);
}

/** Every tree directly inside of one. */
function partsOf(value: unknown): Tree[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part: unknown): Tree[] => {
    if (Array.isArray(part)) return part.flatMap((item) => (isTree(item) ? [item] : partsOf(item)));
    if (isTree(part)) return [part];
    return typeof part === 'object' && part !== null ? partsOf(part) : [];
  });
}

const kinds: ReadonlySet<unknown> = new Set(['arrow', 'property', 'spread']);

/** Not what only holds trees. */
const isTree = (part: unknown): part is Tree =>
  typeof part === 'object' && part !== null && 'kind' in part && 'start' in part && !kinds.has(part.kind);

/** The lists of one run: each response is looked at once. */
export interface Lists {
  of(filter: KeptFilter, responses: readonly Json[], holds: (filter: KeptFilter, response: Json) => Json): readonly Json[];
}

export function createLists(): Lists {
  const known = new Map<KeptFilter, { readonly list: Json[]; seen: number }>();
  return {
    of(filter, responses, holds) {
      let kept = known.get(filter);
      if (kept === undefined) {
        kept = { list: [], seen: 0 };
        known.set(filter, kept);
      }
      for (; kept.seen < responses.length; kept.seen += 1) {
        const response = responses[kept.seen] as Json;
        if (mustBeBoolean(holds(filter, response))) kept.list.push(response);
      }
      return kept.list;
    },
  };
}

/** The expression as it was written tells what is wrong. */
function mustBeBoolean(value: Json): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError('a filter gave something else than true or false');
}
