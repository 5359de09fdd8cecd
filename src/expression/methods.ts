/** The list methods that take an arrow function. Each visit of an element pays for the arrow's body. */
import type { Json } from '../strategy/json.ts';
import { type Cell, type Context, type Part, siteFor } from './context.ts';
import { anyShape, type Frame, maxListLength, type Shape, scalarShape } from './expression.ts';
import { type Evaluate, truth } from './operators.ts';
import { isListMethod, type ListMethodName, methodRefusal } from './refusals.ts';
import { itemShape } from './shape.ts';
import { failed, invalid, type Site } from './source.ts';
import type { Arrow, TreeOf } from './tree.ts';
import { charge, isList, phrase } from './values.ts';

/** An arrow, ready to be called: its result for one element (for reduce and sort: for two values). */
interface Callback {
  readonly site: Site;
  call(frame: Frame, first: Json, second: Json, third?: Json): Json;
}

interface Visit {
  readonly list: readonly Json[];
  readonly frame: Frame;
  readonly callback: Callback;
  readonly site: Site;
}

/** `reduce` also has a start, and is apart. */
const methods: Readonly<Record<Exclude<ListMethodName, 'reduce'>, (visit: Visit) => Json>> = {
  map: ({ list, frame, callback }) => list.map((item, index) => callback.call(frame, item, index)),
  filter: ({ list, frame, callback }) => list.filter((item, index) => truth(callback.call(frame, item, index), callback.site)),
  some: ({ list, frame, callback }) => list.some((item, index) => truth(callback.call(frame, item, index), callback.site)),
  every: ({ list, frame, callback }) => list.every((item, index) => truth(callback.call(frame, item, index), callback.site)),
  find: ({ list, frame, callback }) =>
    list.find((item, index) => truth(callback.call(frame, item, index), callback.site)) ?? null,
  findIndex: ({ list, frame, callback }) =>
    list.findIndex((item, index) => truth(callback.call(frame, item, index), callback.site)),
  sort: ({ list, frame, callback }) => [...list].sort((a, b) => order(callback.call(frame, a, b), callback.site)),
  flatMap: flatMap,
};

function flatMap({ list, frame, callback, site }: Visit): Json {
  const result: Json[] = [];
  list.forEach((item, index) => {
    const part = callback.call(frame, item, index);
    if (!isList(part)) result.push(part);
    else {
      charge(frame.fuel, part.length, site);
      for (const one of part) result.push(one);
    }
    if (result.length > maxListLength) throw failed(site, `a list of more than ${maxListLength} elements`);
  });
  return result;
}

function order(value: Json, site: Site): number {
  if (typeof value === 'number') return value;
  throw failed(site, `what sorts gives a number, not ${phrase(value)}`, 'Write `list.sort((a, b) => compare(a, b))`.');
}

export function compileMethod(tree: TreeOf<'method'>, context: Context): Part {
  const site = siteFor(context, tree);
  const { name } = tree;
  if (!isListMethod(name)) {
    const refusal = methodRefusal('list', name, []);
    throw invalid(site, refusal.message, refusal.fix);
  }
  checkCounts(name, tree, site);
  const object = context.compile(tree.object, context);
  const arrow = compileArrow(tree, itemShape(object.shape), context);
  const start = tree.parameters[0] === undefined ? null : context.compile(tree.parameters[0], context);
  return {
    evaluate: evaluation(tree, { object: object.evaluate, callback: arrow.callback, start: start?.evaluate ?? null }, site),
    cost: object.cost + (start?.cost ?? 0) + 2,
    constant: false,
    makes: true,
    shape: resultShape(name, object.shape, arrow.shape),
  };
}

function checkCounts(name: ListMethodName, tree: TreeOf<'method'>, site: Site): void {
  const wanted = name === 'reduce' ? 1 : 0;
  if (tree.parameters.length !== wanted) {
    const fix = name === 'reduce' ? 'Write `list.reduce((sum, item) => sum + item, 0)`.' : `Write \`list.${name}(item => …)\`.`;
    throw invalid(
      site,
      name === 'reduce' ? '`reduce` takes an arrow and what to start from' : `\`${name}\` takes one arrow`,
      fix,
    );
  }
  const count = tree.arrow.parameters.length;
  const least = name === 'reduce' || name === 'sort' ? 2 : 0;
  const most = name === 'reduce' ? 3 : 2;
  if (count < least || count > most) {
    const fix =
      name === 'sort'
        ? 'Write `(a, b) => …`.'
        : name === 'reduce'
          ? 'Write `(result, item) => …`.'
          : 'Write `item => …` or `(item, index) => …`.';
    throw invalid(
      site,
      `the arrow of \`${name}\` takes ${least === most ? least : `${least} to ${most}`} parameters, not ${count}`,
      fix,
    );
  }
}

interface CompiledArrow {
  readonly callback: Callback;
  readonly shape: Shape;
}

function compileArrow(tree: TreeOf<'method'>, item: Shape, context: Context): CompiledArrow {
  const { arrow, name } = tree;
  const cells = arrow.parameters.map((_, position): Cell => ({ value: null, shape: parameterShape(name, position, item) }));
  const parameters = new Map(context.parameters);
  arrow.parameters.forEach((parameter, position) => {
    checkParameter(parameter, parameters, { ...context, arrow });
    parameters.set(parameter, cells[position] as Cell);
  });
  const part = context.compile(arrow.body, { ...context, parameters, inArrow: true });
  const site = siteFor(context, arrow.body);
  const [first, second, third] = cells;
  const { evaluate, cost } = part;
  const call = (frame: Frame, one: Json, two: Json, three: Json = null): Json => {
    charge(frame.fuel, cost + 1, site);
    if (first !== undefined) first.value = one;
    if (second !== undefined) second.value = two;
    if (third !== undefined) third.value = three;
    return evaluate(frame);
  };
  return { callback: { site, call }, shape: part.shape };
}

function parameterShape(name: string, position: number, item: Shape): Shape {
  if (name === 'sort') return item;
  if (name === 'reduce') return position === 0 ? anyShape : position === 1 ? item : scalarShape;
  return position === 0 ? item : scalarShape;
}

function checkParameter(parameter: string, taken: ReadonlyMap<string, Cell>, context: Context & { readonly arrow: Arrow }): void {
  const reserved = parameter === 'vars' || parameter === 'secrets';
  if (!reserved && !taken.has(parameter) && !context.scope.names.has(parameter)) return;
  throw invalid(
    siteFor(context, context.arrow),
    `\`${parameter}\` is the name of something else already`,
    'Choose another name for the parameter.',
  );
}

function resultShape(name: ListMethodName, list: Shape, body: Shape): Shape {
  if (name === 'map') return { kind: 'list', item: body };
  if (name === 'filter' || name === 'sort') return list;
  if (name === 'find') return itemShape(list);
  return name === 'reduce' || name === 'flatMap' ? anyShape : scalarShape;
}

interface Evaluates {
  readonly object: Evaluate;
  readonly callback: Callback;
  readonly start: Evaluate | null;
}

function evaluation(tree: TreeOf<'method'>, { object, callback, start }: Evaluates, site: Site): Evaluate {
  const { name, optional } = tree;
  const method = name === 'reduce' ? null : methods[name as keyof typeof methods];
  return (frame) => {
    const list = object(frame);
    if (list === null && optional) return null;
    if (!isList(list))
      throw failed(
        site,
        `\`${name}\` works on a list, not on ${phrase(list)}`,
        list === null ? `Write \`(list ?? []).${name}(…)\`.` : undefined,
      );
    if (method !== null) return method({ list, frame, callback, site });
    let result = start === null ? null : start(frame);
    for (let index = 0; index < list.length; index++) result = callback.call(frame, result, list[index] ?? null, index);
    return result;
  };
}
