/** What an expression starts from: bound names, `vars.x`, `vars.x[key]`, `secrets.NAME`, parameters of arrows. */
import { type Context, type Part, siteFor } from './context.ts';
import { anyShape, type CompiledKey, type ScopeVariable, type Shape, scalarShape, type VariableRead } from './expression.ts';
import type { Site } from './source.ts';
import type { Tree, TreeOf } from './tree.ts';
import { charge } from './values.ts';

export function compileName(tree: TreeOf<'name'>, context: Context): Part {
  const cell = context.parameters.get(tree.name);
  if (cell !== undefined) return { evaluate: () => cell.value, cost: 1, constant: false, makes: false, shape: cell.shape };
  const slot = context.scope.names.get(tree.name);
  if (slot === undefined) throw unknownName(tree, context);
  context.gathered.names.add(tree.name);
  return {
    evaluate: (frame) => frame.values[slot] ?? null,
    cost: 1,
    constant: false,
    makes: false,
    shape: context.scope.shapes?.get(tree.name) ?? anyShape,
  };
}

function unknownName({ name, ...tree }: TreeOf<'name'>, context: Context): Error {
  const { scope, parameters } = context;
  const site = siteFor(context, tree);
  if (scope.variables.has(name)) return context.refuse('bare variable', site, name);
  return context.refuse('name', site, name, [...parameters.keys(), ...scope.names.keys(), 'vars']);
}

/** The part of a member expression that starts with `vars` or `secrets`; null when this one does not. */
export function compileRoot(tree: TreeOf<'member' | 'index'>, context: Context): Part | null {
  if (isRoot(tree.object, 'secrets', context)) return secretUse(tree, context);
  const target = readTarget(tree, context);
  if (target === null) return null;
  const index = addRead(target, context, false);
  return {
    evaluate: (frame) => frame.read(index),
    cost: 2,
    constant: false,
    makes: false,
    shape: variableShape(target.variable),
  };
}

function secretUse(tree: TreeOf<'member' | 'index'>, context: Context): Part {
  const part = secretPart(tree, context, context.scope.secrets?.allowed ?? false);
  if (tree.kind === 'member') context.gathered.secrets.add(tree.name);
  return part;
}

/** `age(vars.x)`: how old the knowledge of it is. */
export function compileAge(tree: TreeOf<'call'>, context: Context): Part {
  const [read] = tree.parameters;
  const target = read?.kind === 'member' || read?.kind === 'index' ? readTarget(read, context) : null;
  if (target === null || tree.parameters.length !== 1) throw context.refuse('age', siteFor(context, tree));
  const index = addRead(target, context, true);
  return { evaluate: (frame) => frame.age(index), cost: 2, constant: false, makes: false, shape: scalarShape };
}

interface Target {
  readonly name: string;
  readonly variable: ScopeVariable;
  readonly key: Tree | null;
  readonly tree: Tree;
}

/** `vars.x` and `vars.x[key]`; null for any other member expression. */
function readTarget(tree: TreeOf<'member' | 'index'>, context: Context): Target | null {
  const { object } = tree;
  if (isRoot(object, 'vars', context)) {
    const name = variableName(tree, context);
    const variable = variableOf(name, tree, context);
    if (variable.keyed) throw context.refuse('no key', siteFor(context, tree), name);
    return { name, variable, key: null, tree };
  }
  if ((object.kind !== 'member' && object.kind !== 'index') || !isRoot(object.object, 'vars', context)) return null;
  const name = variableName(object, context);
  const variable = variableOf(name, object, context);
  if (variable.keyed) {
    if (tree.kind === 'member') throw context.refuse('key as member', siteFor(context, tree), name, [tree.name]);
    return { name, variable, key: tree.index, tree };
  }
  if (tree.kind === 'member') return null;
  throw context.refuse('key of none', siteFor(context, tree), name);
}

const isRoot = (tree: Tree, root: string, context: Context): boolean =>
  tree.kind === 'name' && tree.name === root && !context.parameters.has(root) && !context.scope.names.has(root);

function variableName(tree: TreeOf<'member' | 'index'>, context: Context): string {
  if (tree.kind === 'member') return tree.name;
  if (tree.index.kind === 'literal' && typeof tree.index.value === 'string') return tree.index.value;
  throw context.refuse('name of a variable', siteFor(context, tree));
}

function variableOf(name: string, tree: Tree, context: Context): ScopeVariable {
  const variable = context.scope.variables.get(name);
  if (variable !== undefined) return variable;
  throw context.refuse('variable', siteFor(context, tree), name, context.scope.variables.keys());
}

function compileKey(key: Tree, tree: Tree, context: Context): CompiledKey {
  const site = siteFor(context, tree);
  if (context.inKey) throw context.refuse('read in a key', site);
  if (context.inArrow) throw context.refuse('read in an arrow', site);
  const names = new Set<string>();
  const part = context.compile(key, { ...context, gathered: { ...context.gathered, names }, inKey: true });
  for (const name of names) context.gathered.names.add(name);
  const { evaluate, cost, constant } = part;
  return {
    constant,
    names,
    tree: key,
    evaluate: (frame) => {
      charge(frame.fuel, cost, site);
      return evaluate(frame);
    },
  };
}

/** Where it stands is looked at only when something is wrong. */
class Read implements VariableRead {
  readonly variable: string;
  readonly key: CompiledKey | null;
  readonly age: boolean;
  readonly #site: Site;

  constructor(variable: string, key: CompiledKey | null, age: boolean, site: Site) {
    this.variable = variable;
    this.key = key;
    this.age = age;
    this.#site = site;
  }

  get place() {
    return this.#site.place;
  }

  get text() {
    return this.#site.text;
  }
}

function addRead({ name, key, tree }: Target, context: Context, age: boolean): number {
  const { gathered } = context;
  const known = key === null && !age ? gathered.readIndexes.get(name) : undefined;
  if (known !== undefined) return known;
  const site = siteFor(context, tree);
  const compiledKey = key === null ? null : compileKey(key, tree, context);
  const index = gathered.reads.push(new Read(name, compiledKey, age, site)) - 1;
  if (key === null && !age) gathered.readIndexes.set(name, index);
  return index;
}

const extremeShape: Shape = {
  kind: 'object',
  properties: new Map([
    ['value', anyShape],
    ['with', anyShape],
  ]),
  open: false,
};

function variableShape({ strategy, shape }: ScopeVariable): Shape {
  if (strategy === 'sum-increments' || strategy === 'bounded-counter') return scalarShape;
  return strategy === 'max-value' || strategy === 'min-value' ? extremeShape : (shape ?? anyShape);
}

/** `secrets.NAME`. Inside hmac it is allowed everywhere, because nothing of it shows in the digest. */
export function secretPart(tree: TreeOf<'member' | 'index'>, context: Context, allowed: boolean): Part {
  const site = siteFor(context, tree);
  if (tree.kind !== 'member') throw context.refuse('name of a secret', site);
  const { name } = tree;
  const known = context.scope.secrets?.names ?? new Set<string>();
  if (!known.has(name)) throw context.refuse('secret', site, name, known);
  if (!allowed) throw context.refuse('place of a secret', site);
  return { evaluate: (frame) => frame.secret(name), cost: 1, constant: false, makes: false, shape: scalarShape };
}

export const isSecret = (tree: Tree, context: Context): tree is TreeOf<'member' | 'index'> =>
  (tree.kind === 'member' || tree.kind === 'index') && isRoot(tree.object, 'secrets', context);
