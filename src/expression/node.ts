/** From trees to closures. Every name, read and cost is resolved here, so that evaluating looks nothing up. */
import { CffbrwError } from '../error.ts';
import type { Json } from '../strategy/json.ts';
import { compileCall } from './call.ts';
import { type Context, constantFrame, type Part, siteFor } from './context.ts';
import { anyShape, type Frame, maxListLength, type Shape, scalarShape } from './expression.ts';
import { safeKey } from './functions/collection.ts';
import { binary, concatenation, conditional, type Evaluate, logical, negate, not } from './operators.ts';
import { compileName, compileRoot } from './root.ts';
import { eitherShape, itemShape, memberShape } from './shape.ts';
import { failed, type Site } from './source.ts';
import type { Spread, Tree, TreeOf } from './tree.ts';
import { charge, deepFreeze, element, isList, isObject, member, phrase } from './values.ts';

export function compileNode(tree: Tree, context: Context): Part {
  const part = compileKind(tree, context);
  return part.constant && tree.kind !== 'literal' ? folded(part) : part;
}

/** A constant is computed once; one that fails is left to fail where a run reaches it. */
function folded(part: Part): Part {
  try {
    const value = deepFreeze(part.evaluate(constantFrame()));
    return { ...part, evaluate: () => value, cost: 1 };
  } catch (error) {
    if (error instanceof CffbrwError) return part;
    throw error;
  }
}

function compileKind(tree: Tree, context: Context): Part {
  switch (tree.kind) {
    case 'literal':
      return literal(tree.value);
    case 'name':
      return compileName(tree, context);
    case 'member':
      return compileRoot(tree, context) ?? memberPart(tree, context);
    case 'index':
      return compileRoot(tree, context) ?? indexPart(tree, context);
    case 'template':
      return templatePart(tree.texts, tree.parts, context);
    case 'list':
      return listPart(tree, context);
    case 'object':
      return objectPart(tree, context);
    case 'call':
      return compileCall(tree, context);
    case 'method':
      return context.compileMethod(tree, context);
    default:
      return operatorPart(tree, context);
  }
}

type OperatorTree = TreeOf<'not' | 'negate' | 'binary' | 'logical' | 'conditional'>;

function operatorPart(tree: OperatorTree, context: Context): Part {
  const site = siteFor(context, tree);
  switch (tree.kind) {
    case 'not': {
      const value = compileNode(tree.value, context);
      return combine([value], not(value.evaluate, siteFor(context, tree.value)));
    }
    case 'negate': {
      const value = compileNode(tree.value, context);
      return combine([value], negate(value.evaluate, site));
    }
    case 'binary': {
      const left = compileNode(tree.left, context);
      const right = compileNode(tree.right, context);
      return combine([left, right], binary(tree.operator, left.evaluate, right.evaluate, site));
    }
    case 'logical':
      return logicalPart(tree, context);
    case 'conditional':
      return conditionalPart(tree, context);
  }
}

export const literal = (value: Json): Part => ({ evaluate: () => value, cost: 1, constant: true, makes: false, shape: anyShape });

/** A part made of others: it is constant when they are, and costs one more than they do together. */
export function combine(parts: readonly Part[], evaluate: Evaluate, more: { shape?: Shape; makes?: boolean } = {}): Part {
  return {
    evaluate,
    cost: parts.reduce((cost, part) => cost + part.cost, 1),
    constant: parts.every((part) => part.constant),
    makes: more.makes ?? false,
    shape: more.shape ?? scalarShape,
  };
}

function logicalPart(tree: TreeOf<'logical'>, context: Context): Part {
  const left = compileNode(tree.left, context);
  const right = compileNode(tree.right, context);
  const sites = { left: siteFor(context, tree.left), right: siteFor(context, tree.right) };
  const shape = tree.operator === '??' ? eitherShape(left.shape, right.shape) : scalarShape;
  return combine([left, right], logical(tree.operator, left.evaluate, right.evaluate, sites), {
    shape,
    makes: left.makes || right.makes,
  });
}

function conditionalPart(tree: TreeOf<'conditional'>, context: Context): Part {
  const test = compileNode(tree.test, context);
  const consequent = compileNode(tree.consequent, context);
  const alternate = compileNode(tree.alternate, context);
  const branches = { consequent: consequent.evaluate, alternate: alternate.evaluate };
  return combine([test, consequent, alternate], conditional(test.evaluate, branches, siteFor(context, tree.test)), {
    shape: eitherShape(consequent.shape, alternate.shape),
    makes: consequent.makes || alternate.makes,
  });
}

function memberPart(tree: TreeOf<'member'>, context: Context): Part {
  return namedMember(compileNode(tree.object, context), tree.name, siteFor(context, tree), context);
}

function namedMember(object: Part, name: string, site: Site, { refuse }: Context): Part {
  const { evaluate } = object;
  return combine([object], (frame) => member(evaluate(frame), name), {
    shape: memberShape(object.shape, name, site, refuse),
    makes: object.makes,
  });
}

function indexPart(tree: TreeOf<'index'>, context: Context): Part {
  const object = compileNode(tree.object, context);
  const site = siteFor(context, tree);
  if (tree.index.kind === 'literal' && typeof tree.index.value === 'string')
    return namedMember(object, tree.index.value, site, context);
  const index = compileNode(tree.index, context);
  const evaluateObject = object.evaluate;
  const evaluateIndex = index.evaluate;
  return combine([object, index], (frame) => element(evaluateObject(frame), evaluateIndex(frame), site), {
    shape: itemShape(object.shape),
    makes: object.makes,
  });
}

export function templatePart(texts: readonly string[], trees: readonly Tree[], context: Context): Part {
  if (trees.length === 0) return literal(texts[0] ?? '');
  const parts = trees.map((tree) => compileNode(tree, context));
  const sites = trees.map((tree) => siteFor(context, tree));
  return combine(
    parts,
    concatenation(
      texts,
      parts.map((part) => part.evaluate),
      sites,
    ),
  );
}

type Fill<Target> = (target: Target, frame: Frame) => void;

function listPart(tree: TreeOf<'list'>, context: Context): Part {
  const parts = tree.items.map((item) => compileNode(item.kind === 'spread' ? item.value : item, context));
  if (tree.items.every((item) => item.kind !== 'spread')) {
    const evaluates = parts.map((part) => part.evaluate);
    return combine(parts, (frame) => evaluates.map((evaluate) => evaluate(frame)), { shape: anyShape, makes: true });
  }
  const fills = tree.items.map((item, index) => listFill(item, parts[index] as Part, context));
  const evaluate: Evaluate = (frame) => {
    const target: Json[] = [];
    for (const fill of fills) fill(target, frame);
    return target;
  };
  return combine(parts, evaluate, { shape: anyShape, makes: true });
}

function listFill(item: Tree | Spread, { evaluate }: Part, context: Context): Fill<Json[]> {
  if (item.kind !== 'spread') return (target, frame) => void target.push(evaluate(frame));
  const site = siteFor(context, item);
  return (target, frame) => {
    const value = evaluate(frame);
    if (!isList(value))
      throw failed(
        site,
        `only a list can be spread into a list, not ${phrase(value)}`,
        value === null ? 'Write `...(list ?? [])`.' : undefined,
      );
    charge(frame.fuel, value.length, site);
    if (target.length + value.length > maxListLength) throw failed(site, `a list of more than ${maxListLength} elements`);
    for (const one of value) target.push(one);
  };
}

/** Growing an object by a key takes longer than growing a list. */
const unitsPerKey = 5;

function objectPart(tree: TreeOf<'object'>, context: Context): Part {
  const parts: Part[] = [];
  const properties = new Map<string, Shape>();
  let open = false;
  const fills = tree.properties.map((property): Fill<Record<string, Json>> => {
    const value = compileNode(property.value, context);
    parts.push(value);
    if (property.kind === 'spread') {
      open = true;
      return spreadFill(value.evaluate, siteFor(context, property));
    }
    const { evaluate } = value;
    const { name } = property;
    if (name !== null) {
      properties.set(name, value.shape);
      return (target, frame) => {
        target[name] = evaluate(frame);
      };
    }
    open = true;
    const key = compileNode(property.computed as Tree, context);
    parts.push(key);
    return keyedFill(key.evaluate, evaluate, siteFor(context, property));
  });
  const evaluate: Evaluate = (frame) => {
    const target: Record<string, Json> = {};
    for (const fill of fills) fill(target, frame);
    return target;
  };
  const part = combine(parts, evaluate, { shape: open ? anyShape : { kind: 'object', properties, open: false }, makes: true });
  return { ...part, cost: part.cost + fills.length * unitsPerKey };
}

function spreadFill(evaluate: Evaluate, site: Site): Fill<Record<string, Json>> {
  return (target, frame) => {
    const value = evaluate(frame);
    if (value === null) return;
    if (!isObject(value)) throw failed(site, `only an object can be spread into an object, not ${phrase(value)}`);
    const keys = Object.keys(value);
    charge(frame.fuel, keys.length * unitsPerKey, site);
    for (const key of keys) {
      target[safeKey(key, { site })] = value[key] ?? null;
    }
  };
}

function keyedFill(key: Evaluate, value: Evaluate, site: Site): Fill<Record<string, Json>> {
  return (target, frame) => {
    const name = key(frame);
    if (typeof name !== 'string' && typeof name !== 'number')
      throw failed(site, `a key is a text or a number, not ${phrase(name)}`);
    target[safeKey(name, { site })] = value(frame);
  };
}
