// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are sources
/** Random expressions, each as our source and as what the same means in JavaScript proper (a missing property read as null). */
import fc from 'fast-check';

/** Our source, V8's, and how many arrows are nested in them. */
export type Pair = readonly [ours: string, v8: string, arrows: number];
type Expression = fc.Arbitrary<Pair>;

const pure = (text: string): Pair => [text, text, 0];
const oneOfTexts = (...texts: string[]): Expression => fc.constantFrom(...texts).map(pure);

/**
 * Fills the holes of a form, `#0`, `#1` …, with parts. Parameters of arrows are written `@x`: each nesting has names of its own, because
 * one may not shadow another.
 */
function form(ours: string, parts: readonly Expression[], v8: string = ours): Expression {
  return fc.tuple(...parts).map((pairs): Pair => {
    const arrows = Math.max(0, ...pairs.map((pair) => pair[2])) + (ours.includes('@') ? 1 : 0);
    const fill = (text: string, side: 0 | 1) =>
      text
        .replace(/#(\d)/g, (_, index) => pairs[Number(index)]?.[side] ?? '')
        .replace(/@([a-z]+)/g, (_, name) => `${name}${arrows}`);
    return [fill(ours, 0), fill(v8, 1), arrows];
  });
}

/** The functions whose meaning JavaScript has, in its own terms. */
export const reference = {
  len: (value: string | object) => (typeof value === 'string' ? value.length : Object.keys(value).length),
  keys: (value: object) => Object.keys(value),
  values: (value: object) => Object.values(value),
  entries: (value: object) => Object.entries(value),
  fromEntries: (value: [string, unknown][]) => Object.fromEntries(value),
  lower: (value: string) => value.toLowerCase(),
  upper: (value: string) => value.toUpperCase(),
  trim: (value: string) => value.trim(),
  slice: (value: string | unknown[], start: number, end?: number) => value.slice(start, end),
  split: (value: string, separator: string) => value.split(separator),
  join: (value: unknown[], separator: string) => value.join(separator),
  includes: (value: string, part: string) => value.includes(part),
  startsWith: (value: string, part: string) => value.startsWith(part),
  endsWith: (value: string, part: string) => value.endsWith(part),
  replace: (value: string, part: string, other: string) => value.replaceAll(part, () => other),
  string: (value: unknown) => String(value),
  /** A text that is no number gives null here. */
  number: (value: string) => (Number.isNaN(Number(value)) ? null : Number(value)),
  json: (value: unknown) => JSON.stringify(value),
  round: (value: number) => Math.round(value),
  floor: Math.floor,
  ceil: Math.ceil,
  abs: Math.abs,
  min: Math.min,
  max: Math.max,
  sum: (value: number[]) => value.reduce((total, one) => total + one, 0),
  reverse: (value: unknown[]) => [...value].reverse(),
  range: (length: number) => [...Array(length).keys()],
  compare: (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0),
};

/** What the names mean. Frozen, so that an expression that changed one would throw in V8. */
export const bound = {
  n: 7,
  m: -2.5,
  zero: 0,
  s: 'Ab,c ',
  empty: '',
  yes: true,
  no: false,
  none: null,
  numbers: [5, 3, 3, -1, 0.5],
  texts: ['b', 'a', 'ä', 'aa', ''],
  items: [{ sku: 'x', count: 2, open: true }, { sku: 'y', count: 0, open: false }, { sku: 'z' }],
  o: { a: 1, b: { c: 'deep', d: [1, 2, { e: null }] }, n: null, 'k k': 2 },
};

/** What an arrow of the parameter `@x` may give. */
const bodies = oneOfTexts('@x', '[@x]', '({ it: @x })', '@x === null', 'items.map(y => [y, @x])', '`${n}` + s');

const { expression } = fc.letrec<Record<'expression' | 'number' | 'text' | 'boolean' | 'list' | 'object' | 'any', Pair>>(
  (tie) => {
    const [number, text, boolean, list, object, any] = (['number', 'text', 'boolean', 'list', 'object', 'any'] as const).map(
      (name) => tie(name),
    ) as [Expression, Expression, Expression, Expression, Expression, Expression];
    const tree = (leaf: Expression, ...branches: Expression[]): Expression =>
      fc.oneof({ maxDepth: 5, depthSize: 'small', withCrossShrink: true }, { arbitrary: leaf, weight: 2 }, ...branches);
    return {
      number: tree(
        fc.oneof(
          oneOfTexts('n', 'm', 'zero', '0', '1', '2.5', '1e3', '0x1f', 'o.a', 'numbers[1]'),
          fc.integer({ min: 0, max: 99 }).map((i) => pure(`${i}`)),
        ),
        form('(#0)', [number]),
        form('#0 + #1', [number, number]),
        form('#0 - #1', [number, number]),
        form('#0 * #1', [number, number]),
        form('#0 / #1', [number, number]),
        form('#0 % #1', [number, number]),
        form('- #0', [number]),
        form('#0 ? #1 : #2', [boolean, number, number]),
        form('(#0 ?? #1)', [any, number]),
        ...['round(#0)', 'floor(#0)', 'ceil(#0)', 'abs(#0)'].map((call) => form(call, [number], `f.${call}`)),
        form('min(#0, #1)', [number, number], 'f.min(#0, #1)'),
        form('max(#0, #1)', [number, number], 'f.max(#0, #1)'),
        form('len(#0)', [fc.oneof(text, list, object)], 'f.len(#0)'),
        form('(#0).length', [fc.oneof(text, list)]),
        form('number(string(#0))', [number], 'f.number(f.string(#0))'),
        form('sum(numbers.map(@x => @x * #0))', [number], 'f.sum(numbers.map(@x => @x * #0))'),
        form('(#0).reduce((@sum, @x, @i) => @sum + @i, #1)', [list, number]),
        form('(#0).findIndex(@x => type(@x) === "number")', [list], '(#0).findIndex(@x => typeof @x === "number")'),
        form('compare(#0, #1)', [text, text], 'f.compare(#0, #1)'),
      ),
      text: tree(
        fc.oneof(
          oneOfTexts('s', 'empty', "'it\\'s'", '"\\u0041\\n"', '`t`', 'o.b.c', 'texts[0]'),
          fc.string({ maxLength: 4 }).map((s) => pure(JSON.stringify(s))),
        ),
        form('(#0)', [text]),
        form('#0 + #1', [text, text]),
        form('`<${#0}|${ #1 }>`', [fc.oneof(text, number, boolean), fc.oneof(text, number)]),
        form('#0 ? #1 : #2', [boolean, text, text]),
        ...['upper(#0)', 'lower(#0)', 'trim(#0)'].map((call) => form(call, [text], `f.${call}`)),
        form('slice(#0, #1)', [text, oneOfTexts('0', '1', '-2')], 'f.slice(#0, #1)'),
        form('slice(#0, #1, #2)', [text, oneOfTexts('0', '1', '-2'), oneOfTexts('2', '-1', '9')], 'f.slice(#0, #1, #2)'),
        form('join(#0, #1)', [list, text], 'f.join(#0, #1)'),
        form('replace(#0, #1, #2)', [text, text, text], 'f.replace(#0, #1, #2)'),
        form('string(#0)', [fc.oneof(text, number, boolean)], 'f.string(#0)'),
        form('json(#0)', [any], 'f.json(#0)'),
        form('(#0)[#1]', [text, number], '((#0)?.[#1] ?? null)'),
      ),
      boolean: tree(
        oneOfTexts('yes', 'no', 'true', 'false'),
        form('(#0)', [boolean]),
        form('!#0', [boolean]),
        form('#0 && #1', [boolean, boolean]),
        form('#0 || #1', [boolean, boolean]),
        ...['===', '!==', '<', '<=', '>', '>='].flatMap((operator) => [
          form(`#0 ${operator} #1`, [number, number]),
          form(`#0 ${operator} #1`, [text, text]),
        ]),
        form('#0 === #1', [any, any]),
        form('#0 !== null', [any]),
        form('#0 ? #1 : #2', [boolean, boolean, boolean]),
        form('includes(#0, #1)', [text, text], 'f.includes(#0, #1)'),
        form('startsWith(#0, #1)', [text, text], 'f.startsWith(#0, #1)'),
        form('endsWith(#0, #1)', [text, text], 'f.endsWith(#0, #1)'),
        form('(#0).some((@x, @i) => @i > #1)', [list, number]),
        form('(#0).every(@x => @x !== null)', [list]),
      ),
      list: tree(
        oneOfTexts('numbers', 'texts', 'items', '[]', '[1, [2]]'),
        form('(#0)', [list]),
        form('[#0]', [any]),
        form('[#0, ...#1, #2]', [any, list, any]),
        form('(#0).map((@x, @i) => @i * #1)', [list, number]),
        form('(#0).map(@x => #1)', [list, any]),
        form('(#0).map(@x => #1)', [list, bodies]),
        form('(#0).filter((@x, @i) => @i !== #1)', [list, number]),
        form('(#0).flatMap(@x => #1)', [list, fc.oneof(list, number)]),
        form('(#0).sort((@a, @b) => @a - @b)', [oneOfTexts('numbers', '[3, 1, 2]')], '[...(#0)].sort((@a, @b) => @a - @b)'),
        form(
          '(#0).sort((@a, @b) => compare(@a, @b))',
          [oneOfTexts('texts', '["b", "a"]')],
          '[...(#0)].sort((@a, @b) => f.compare(@a, @b))',
        ),
        form('(#0).sort((@a, @b) => 0)', [list], '[...(#0)].sort((@a, @b) => 0)'),
        form('(#0).reduce((@all, @x) => [@x, ...@all], [])', [list]),
        form('slice(#0, #1)', [list, oneOfTexts('0', '1', '-2')], 'f.slice(#0, #1)'),
        form('split(#0, #1)', [text, text], 'f.split(#0, #1)'),
        form('reverse(#0)', [list], 'f.reverse(#0)'),
        form('range(len(#0))', [text], 'f.range(f.len(#0))'),
        ...['keys(#0)', 'values(#0)', 'entries(#0)'].map((call) => form(call, [object], `f.${call}`)),
        form('#0 ? #1 : #2', [boolean, list, list]),
      ),
      object: tree(
        oneOfTexts('o', '{}', '{ n, s }', 'items[0]'),
        form('(#0)', [object]),
        form('{ a: #0, "b c": #1 }', [any, any]),
        form('{ ...#0, z: #1, ...#2 }', [object, any, object]),
        form('{ [#0]: #1, [#2]: 1 }', [text, any, number]),
        form('fromEntries([[#0, #1]])', [text, any], 'f.fromEntries([[#0, #1]])'),
        form('fromEntries(entries(#0))', [object], 'f.fromEntries(f.entries(#0))'),
      ),
      any: fc.oneof(
        { depthSize: 'small' },
        oneOfTexts('null', 'none'),
        number,
        text,
        boolean,
        list,
        object,
        form('(#0).a', [object], '((#0)?.a ?? null)'),
        form('(#0)?.b.c', [object], '(((#0)?.b ?? null)?.c ?? null)'),
        form('(#0)["k k"]', [object], '((#0)?.["k k"] ?? null)'),
        form('(#0)[#1]', [list, number], '((#0)?.[#1] ?? null)'),
        form('(#0)[#1]', [object, text], '((#0)?.[#1] ?? null)'),
        form('(#0).find(@x => @x === #1)', [list, any], '((#0).find(@x => @x === #1) ?? null)'),
        form('o.b?.d?.map(@x => @x)', []),
        form('none?.d?.map(@x => @x).filter(@x => @x)', [], '(none?.d?.map(@x => @x).filter(@x => @x) ?? null)'),
        form('(#0 ?? #1)', [any, any]),
        form('#0 ? #1 : #2', [boolean, any, any]),
      ),
      expression: any,
    };
  },
);

export { expression };
