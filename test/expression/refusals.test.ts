// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is tested
import { describe, expect, it } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { compileExpression, compileTemplate, nameProblem, type Scope, type Shape } from '../../src/expression/index.ts';
import type { Json } from '../../src/strategy/json.ts';
import { run, scope } from './example.ts';

/** What compiling or running refuses: code, message, fix. */
function refusal(work: () => unknown): { code: string; message: string; fix: string | undefined; place: unknown } {
  try {
    work();
  } catch (error) {
    if (!(error instanceof CffbrwError)) throw error;
    const { code, message, fix, place } = error;
    return { code, message, fix, place };
  }
  throw new Error('it was not refused');
}

/** Source, a part of the message, a part of the fix. */
type Refusals = readonly (readonly [source: string, message: string, fix?: string])[];

const uncompilable: Refusals = [
  ['', 'empty'],
  ['1 == 2', '`==` converts types', 'Write `===`'],
  ['1 != 2', '`!=` converts types', 'Write `!==`'],
  ['voucher = 1', 'change nothing', '`let`'],
  ['voucher.ok = true', 'change nothing'],
  ['voucher.left++', 'change nothing'],
  ['new Date()', 'no classes', 'now()'],
  ['this', '`this` means nothing', 'request.body'],
  ['/a+/', 'regular expressions', 'includes'],
  ['1n', 'big integers'],
  ['9007199254740993', 'too large to be exact'],
  ['1e999', 'too large'],
  ['010', 'octal', 'Write 10'],
  ['if (1) 2', 'unexpected token'],
  ['1; 2', 'unexpected token'],
  ['return 1', 'unexpected token'],
  ['function () { return 1 }', 'only in list methods'],
  ['(function f() { return 1 })', 'only in list methods'],
  ['(function f() { return 1 })()', 'can be called'],
  ['(() => 1)()', 'can be called'],
  ['x => 1', 'only in list methods'],
  ['class {}', 'no classes'],
  ['(class A {})', 'no classes'],
  ['upper`a`', 'cannot be tagged', 'name(text)'],
  ['(1, 2)', 'a comma', '[a, b]'],
  ['1, 2', 'a comma'],
  ['delete voucher.ok', 'change nothing', 'unset'],
  ['typeof 1', '`typeof`', 'type(value)'],
  ['void 0', '`void`', 'null'],
  ['+"1"', 'converts text', 'number(text)'],
  ['~1', 'bits'],
  ['1 & 2', 'bits', '&&'],
  ['2 ** 2', '`**`', 'x * x'],
  ['"a" in voucher', '`in`', '!== null'],
  ['voucher instanceof Object', 'no classes'],
  ['max(...[1, 2])', 'cannot be spread', 'max(list)'],
  ['await request', 'unexpected token'],
  ['import("fs")', 'imported'],
  ['import.meta', 'import'],
  ['[1,,2]', 'hole', 'null'],
  ['{ a() { return 1 } }', 'data, not functions'],
  ['{ get a() { return 1 } }', 'data, not functions'],
  ['{ __proto__: voucher }', '`__proto__` is not allowed'],
  ['{ "constructor": 1 }', '`constructor` is not allowed'],
  ['[1].map(x => { return x })', 'one expression', '({ … })'],
  ['[1].map(async x => x)', 'do not wait'],
  ['[1].map(({ a }) => a)', 'one name', 'item.name'],
  ['[1].map((a = 1) => a)', 'one name'],
  ['[1].map((...a) => a)', 'one name'],
  ['[1].map((a, b, c) => a)', '0 to 2 parameters'],
  ['[1].map(voucher => voucher)', 'something else already', 'another name'],
  ['[1].map(a => [2].map(a => a))', 'something else already'],
  ['[1].map(vars => vars)', 'something else already'],
  ['[1].map(upper)', 'takes an arrow', 'item => …'],
  ['[1].map(x => x, 1)', 'takes one arrow'],
  ['[1].reduce((a, b) => a + b)', 'what to start from', ', 0)'],
  ['[1].sort()', 'takes an arrow'],
  ['[1].sort(a => a)', '2 parameters', '(a, b)'],
  ['[1].forEach(x => x)', 'no method `forEach`'],
  ['[1].push(2)', 'function here', '[...[1], 2]'],
  ['"a".toUpperCase()', 'function here', 'Write `upper("a")`'],
  ['"a".startsWith("b")', 'function here', 'Write `startsWith("a", "b")`'],
  ['Math.floor(1.5)', 'function here', 'Write `floor(1.5)`'],
  ['JSON.stringify(voucher)', 'function here', 'Write `json(voucher)`'],
  ['Date.now()', 'function here', 'Write `now()`'],
  ['parseInt("1")', 'no function `parseInt`', 'floor(number(text))'],
  ['uper("a")', 'no function `uper`', 'Did you mean `upper`?'],
  ['map([1], x => x)', 'method of lists', 'list.map'],
  ['voucher()', 'no function `voucher`'],
  ['voucher.ok()', 'no method `ok`'],
  ['voucher["ok"]()', 'by their names'],
  ['upper?.("a")', 'always exists'],
  ['upper()', 'takes 1 argument, not 0', 'upper(text)'],
  ['slice("a")', 'takes 2 to 3 arguments'],
  ['min()', 'at least 1'],
  ['vaucher.ok', 'no such name', 'Did you mean `voucher`?'],
  ['undefined', 'not a value', 'null'],
  ['process', 'no such name'],
  ['globalThis', 'no such name'],
  ['Object', 'no such name'],
  ['stock', 'read through `vars`', 'Write `vars.stock`'],
  ['vars', 'not a value', 'vars.stock'],
  ['vars[request.body.user]', 'written out', 'keyed'],
  ['vars.stok > 1', 'no variable `stok`', 'Did you mean `vars.stock`?'],
  ['vars.stock["a"]', 'not keyed', 'keyed: true'],
  ['vars.profile', 'is keyed', 'vars.profile[key]'],
  ['vars.profile.ann', 'is keyed', "vars.profile['ann']"],
  ['vars.profile[vars.profile["a"].b]', 'reads a keyed variable itself', '`let`'],
  ['[1].map(n => vars.profile[n])', 'inside an arrow', '`each`'],
  ['vars.stock.left', 'single value'],
  ['vars.highest.valeu', 'no property `valeu`', 'Did you mean `value`?'],
  ['age(1)', 'takes the read of a variable', 'age(vars.stock)'],
  ['age(vars.profile)', 'is keyed'],
  ['secrets', 'not a value', 'secrets.API_KEY'],
  ['secrets.KEY', 'may not be used here', 'hmac'],
  ['secrets["KEY"]', 'written out'],
  ['secrets.KEI', 'no secret `KEI`', 'Did you mean `secrets.KEY`?'],
  ['hmac("text", secrets.KEY)', 'may not be used here'],
  ['1 // one', 'a comment'],
  ['/* one */ 1', 'a comment'],
  ['1 <!-- 2', 'a comment'],
  ['(1', '`(` is never closed'],
  ['[1, { a: 2 ]', '`]` closes nothing'],
  ['1)', '`)` closes nothing'],
  ['1 + ', 'at its end'],
  ['1 2', 'unexpected token at `2`'],
  ["'abc", 'unterminated string'],
  ['`abc', 'unterminated template'],
  ['1 ?? 2 || 3', 'mixed'],
  ['${ vars.stock > 0 }', 'as a whole', 'Write it without `${` and `}`: `vars.stock > 0`.'],
  ['true and false', 'unexpected token', 'Write `&&`.'],
  ['true OR false', 'unexpected token', 'Write `||`.'],
  ['true constructor false', 'unexpected token'],
  ['@', 'unexpected character'],
  ['a#b', 'unexpected'],
];

describe('what does not compile', () => {
  it.each(uncompilable.map(([source, message, fix = '']) => ({ source, message, fix })))('$source', ({
    source,
    message,
    fix,
  }) => {
    const found = refusal(() => compileExpression(source, scope));
    expect(found.code).toBe('INVALID_EXPRESSION');
    expect(found.message).toContain(message);
    expect(found.fix ?? '').toContain(fix);
  });

  it('is pointed at in the document, over line ends', () => {
    const start = { file: 'spin.yaml', line: 10, column: 9 };
    const place = (source: string) => refusal(() => compileExpression(source, scope, () => start)).place;
    expect(place('1 + nobody')).toEqual({ file: 'spin.yaml', line: 10, column: 13 });
    expect(place('1 +\n  nobody')).toEqual({ file: 'spin.yaml', line: 11, column: 3 });
    expect(place('1 + )')).toEqual({ file: 'spin.yaml', line: 10, column: 13 });
    const folded = (offset: number) => ({ file: 'spin.yaml', line: offset, column: 1 });
    expect(refusal(() => compileTemplate('a ${ nobody }', scope, () => folded)).place).toEqual(folded(5));
  });
});

const text: Shape = { kind: 'scalar' };
const closed = (properties: Record<string, Shape>): Shape => ({
  kind: 'object',
  properties: new Map(Object.entries(properties)),
  open: false,
});

describe('a value whose shape is known', () => {
  const known: Scope = {
    ...scope,
    shapes: new Map([
      [
        'request',
        closed({ body: closed({ user: text, items: { kind: 'list', item: closed({ sku: text }) } }), extra: { kind: 'any' } }),
      ],
    ]),
  };

  const misread: Refusals = [
    ['request.body.usr', 'no property `usr`', 'Did you mean `user`?'],
    ['request.body["usr"]', 'no property `usr`'],
    ['request.boddy.user', 'no property `boddy`'],
    ['request.body?.usr', 'no property `usr`'],
    ['request.body.user.name', 'single value'],
    ['request.body.items.sku', 'a list has no property'],
    ['request.body.items[0].skuu', 'no property `skuu`'],
    ['request.body.items.map(item => item.skuu)', 'no property `skuu`'],
    ['request.body.items.filter(item => true).find(item => item.skuu === "a")', 'no property `skuu`'],
    ['request.body.items.map(item => item.sku).map(sku => sku.name)', 'single value'],
    ['request.body.items.sort((a, b) => compare(a.skuu, b.sku))', 'no property `skuu`'],
    ['request.body.items.reduce((all, item) => [...all, item.skuu], [])', 'no property `skuu`'],
    ['(true ? request.body : request.body).usr', 'no property `usr`'],
    ['{ a: 1 }.b', 'no property `b`'],
    ['request.body.length', 'no property `length`'],
  ];

  it.each(misread.map(([source, message, fix = '']) => ({ source, message, fix })))('$source does not compile', ({
    source,
    message,
    fix,
  }) => {
    const found = refusal(() => compileExpression(source, known));
    expect(found.message).toContain(message);
    expect(found.fix ?? '').toContain(fix);
  });

  it.each([
    'request.body.user.length',
    'request.body.items.length',
    'request.extra.anything.at.all',
    'request.body[request.body.user]',
  ])('%s compiles', (source) => {
    expect(() => compileExpression(source, known)).not.toThrow();
  });

  it('may be a variable with a schema', () => {
    const variables = new Map([
      ['banner', { keyed: false, strategy: 'last-write-wins', shape: closed({ title: text }) } as const],
    ]);
    expect(() => compileExpression('vars.banner.title', { ...scope, variables })).not.toThrow();
    expect(() => compileExpression('vars.banner.titel', { ...scope, variables })).toThrow('no property `titel`');
  });

  it('gives the shape of what is made of it, for the name that is bound to it', () => {
    expect(compileExpression('{ who: request.body }', known).shape).toMatchObject({ kind: 'object', open: false });
    expect(compileExpression('request.body.items', known).shape.kind).toBe('list');
  });
});

/** Source, a part of the message, a part of the fix. */
const failing: Refusals = [
  ['request.body.missing > 1', '`>` compares two numbers or two texts, not null and a number', '?? 0'],
  ['1 < "2"', 'not a number and a text'],
  ['request.body.missing + 1', '`+` takes two numbers or two texts, not null and a number', '?? 0'],
  ['"a" + 1', 'not a text and a number', 'string(number)'],
  ['[] + []', 'not a list and a list'],
  ['"2" * 2', '`*` takes two numbers, not a text and a number'],
  ['-"2"', '`-` takes a number, not a text'],
  ['1 / 0', 'not a finite number', 'zero'],
  ['0 / 0', 'not a finite number'],
  ['1 % 0', 'not a finite number'],
  ['1e308 * 10', 'not a finite number'],
  ['1e308 + 1e308', 'not a finite number'],
  ['request.body === request.body', 'an object and an object cannot be compared', 'json(a)'],
  ['[1] !== [1]', 'a list and a list cannot be compared'],
  ['!0', 'true or false, not a number', '0 !== 0'],
  ['request.body.user && true', 'true or false, not a text', "request.body.user !== ''"],
  ['voucher.ok && 1', 'true or false, not a number'],
  ['false || null', 'true or false, not null', '?? false'],
  ['request.body.missing ? 1 : 2', 'true or false, not null', '!== null'],
  ['[1].filter(n => n)', 'true or false, not a number'],
  ['[1].some(n => null)', 'true or false, not null'],
  ['[2, 1].sort((a, b) => a > b)', 'gives a number, not a boolean', 'compare(a, b)'],
  ['request.body.missing.map(x => x)', 'works on a list, not on null', '?? []'],
  ['"abc".map(x => x)', 'works on a list, not on a text'],
  ['[...null]', 'only a list can be spread', '?? []'],
  ['[..."abc"]', 'only a list can be spread'],
  ['{ ...[1] }', 'only an object can be spread'],
  ['{ [null]: 1 }', 'a key is a text or a number, not null'],
  ['{ [request.body.user === "ann" ? "__proto__" : "a"]: 1 }', '`__proto__` is not allowed'],
  ['fromEntries([["constructor", 1]])', '`constructor` is not allowed'],
  ['voucher[null]', 'the key is null'],
  ['voucher[true]', 'the key is a boolean'],
  ['`Hello ${request.body.missing}`', 'null cannot stand in a text', "?? ''"],
  ['`${voucher}`', 'an object cannot stand in a text', 'json(voucher)'],
];

describe('what fails when it runs', () => {
  it.each(failing.map(([source, message, fix = '']) => ({ source, message, fix })))('$source', ({ source, message, fix }) => {
    const found = refusal(() => run(source));
    expect(found.code).toBe('EXPRESSION_FAILED');
    expect(found.message).toContain(message);
    expect(found.fix ?? '').toContain(fix);
  });

  it('shows the part that failed and where it stands, and never the values', () => {
    const compiled = compileExpression('voucher.ok && request.body.user > 5', scope, () => ({
      ...{ file: 'a.yaml', line: 2, column: 9 },
    }));
    const values = [{ body: { user: 'a very private name' } }, { ok: true }];
    const found = refusal(() => compiled.evaluate({ ...frameOf(values) }));
    expect(found.message).toBe('`request.body.user > 5`: `>` compares two numbers or two texts, not a text and a number');
    expect(found.place).toEqual({ file: 'a.yaml', line: 2, column: 23 });
  });
});

const frameOf = (values: readonly Json[]) => ({
  values,
  read: () => null,
  age: () => 0,
  now: () => 0,
  random: () => 0,
  uuid: () => '',
  secret: () => '',
  fuel: { left: 1_000 },
});

describe('a name that can be bound', () => {
  it.each(['voucher', 'keys', 'min', '_x1'])('%s', (name) => {
    expect(nameProblem(name)).toBeNull();
    expect(() => compileExpression(`${name}.ok`, { ...scope, names: new Map([[name, 0]]) })).not.toThrow();
  });

  it.each([
    '',
    '1a',
    'a-b',
    'a.b',
    'vars',
    'secrets',
    'null',
    'this',
    'class',
    '__proto__',
    'constructor',
    'ä',
    'x'.repeat(65),
  ])('is not %j', (name) => {
    expect(nameProblem(name)).not.toBeNull();
  });
});
