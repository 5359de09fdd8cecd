/** What an expression starts from: bound names, `vars.x`, `vars.x[key]`, `secrets.NAME`, parameters of arrows. */
import { type Context, type Part, siteFor } from './context.ts';
import { anyShape, type CompiledKey, type ScopeVariable, type Shape, scalarShape, type VariableRead } from './expression.ts';
import { invalid, type Site } from './source.ts';
import { suggestion } from './suggest.ts';
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

function unknownName(tree: TreeOf<'name'>, context: Context): Error {
  const { scope } = context;
  const site = siteFor(context, tree);
  const hint = Object.hasOwn(context.hints.names, tree.name) ? context.hints.names[tree.name] : undefined;
  if (hint !== undefined) return invalid(site, `\`${tree.name}\` is not a value`, hint);
  if (scope.variables.has(tree.name)) return invalid(site, 'a variable is read through `vars`', `Write \`vars.${tree.name}\`.`);
  return invalid(
    site,
    'there is no such name here',
    suggestion(tree.name, [...context.parameters.keys(), ...scope.names.keys(), 'vars']),
  );
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
  if (target === null || tree.parameters.length !== 1) {
    throw invalid(
      siteFor(context, tree),
      '`age` takes the read of a variable',
      'Write `age(vars.stock)` or `age(vars.profile[key])`.',
    );
  }
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
    if (variable.keyed) throw needsKey(name, tree, context, `Write \`vars.${name}[key]\`.`);
    return { name, variable, key: null, tree };
  }
  if ((object.kind !== 'member' && object.kind !== 'index') || !isRoot(object.object, 'vars', context)) return null;
  const name = variableName(object, context);
  const variable = variableOf(name, object, context);
  if (variable.keyed) {
    if (tree.kind === 'member') throw needsKey(name, tree, context, `Write \`vars.${name}['${tree.name}']\`.`);
    return { name, variable, key: tree.index, tree };
  }
  if (tree.kind === 'member') return null;
  const fix = `Declare \`${name}\` with \`keyed: true\`; to index into its value, bind it with \`let\` first.`;
  throw invalid(siteFor(context, tree), `\`${name}\` is not keyed, so it is read without a key`, fix);
}

const isRoot = (tree: Tree, root: string, context: Context): boolean =>
  tree.kind === 'name' && tree.name === root && !context.parameters.has(root) && !context.scope.names.has(root);

function variableName(tree: TreeOf<'member' | 'index'>, context: Context): string {
  if (tree.kind === 'member') return tree.name;
  if (tree.index.kind === 'literal' && typeof tree.index.value === 'string') return tree.index.value;
  throw invalid(
    siteFor(context, tree),
    'the name of a variable is written out',
    'Write `vars.name`; for one value per key, declare it `keyed` and write `vars.name[key]`.',
  );
}

function variableOf(name: string, tree: Tree, context: Context): ScopeVariable {
  const variable = context.scope.variables.get(name);
  if (variable !== undefined) return variable;
  throw invalid(
    siteFor(context, tree),
    `there is no variable \`${name}\``,
    suggestion(name, context.scope.variables.keys(), 'vars.'),
  );
}

const needsKey = (name: string, tree: Tree, context: Context, fix: string): Error =>
  invalid(siteFor(context, tree), `\`${name}\` is keyed, so it is read with a key`, fix);

function compileKey(key: Tree, tree: Tree, context: Context): CompiledKey {
  const site = siteFor(context, tree);
  if (context.inKey)
    throw invalid(site, 'a key reads a keyed variable itself', 'Bind that value with `let` first, and use its name in the key.');
  if (context.inArrow)
    throw invalid(site, 'a keyed variable is read inside an arrow function', 'Read it with `let` first, or use an `each` step.');
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

/** What is said of a secret in any other place; `check` knows it by this. */
export const secretRefusal = 'a secret may not be used here';

/** `secrets.NAME`. Inside hmac it is allowed everywhere, because nothing of it shows in the digest. */
export function secretPart(tree: TreeOf<'member' | 'index'>, context: Context, allowed: boolean): Part {
  const site = siteFor(context, tree);
  if (tree.kind !== 'member') throw invalid(site, 'the name of a secret is written out', 'Write `secrets.NAME`.');
  const { name } = tree;
  const known = context.scope.secrets?.names ?? new Set<string>();
  if (!known.has(name))
    throw invalid(
      site,
      `there is no secret \`${name}\``,
      `${suggestion(name, known, 'secrets.')} Declare it in \`secrets\` of cffbrw.yaml.`,
    );
  if (!allowed) throw invalid(site, secretRefusal, 'Secrets are for `http` steps, `verify`, and the first argument of `hmac`.');
  return { evaluate: (frame) => frame.secret(name), cost: 1, constant: false, makes: false, shape: scalarShape };
}

export const isSecret = (tree: Tree, context: Context): tree is TreeOf<'member' | 'index'> =>
  (tree.kind === 'member' || tree.kind === 'index') && isRoot(tree.object, 'secrets', context);
