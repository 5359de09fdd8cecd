// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is tested
import { describe, expect, it } from 'vitest';
import { compileExpression, compileTemplate, compileValue } from '../../src/expression/index.ts';
import { evaluate, frame, run, scope } from './example.ts';

/** Source, and what it gives with the values of example.ts. */
const gives: readonly (readonly [string, unknown])[] = [
  // Literals, lists, objects, templates.
  ['null', null],
  ['true', true],
  ['1_000', 1000],
  ['0x10', 16],
  ['1.5e3', 1500],
  [`'it''s'.length`.replace("''", "\\'"), 4],
  ['[1, "a", [null]]', [1, 'a', [null]]],
  ['[...request.body.tags, 1]', ['new', 'sale', 1]],
  ['{ a: 1, "b c": 2, 3: 4 }', { a: 1, 'b c': 2, 3: 4 }],
  ['{ [request.body.user]: 1 }', { ann: 1 }],
  ['{ ...request.body.address, city: "Oslo" }', { city: 'Oslo', zip: '0150' }],
  ['{ ...request.body.missing }', {}],
  ['{ voucher }', { voucher: { ok: true, left: 3 } }],
  ['`${request.body.user} has ${1 + 1}: ${true}`', 'ann has 2: true'],
  // Members.
  ['request.body.user', 'ann'],
  ['later', null],
  ['later.ok', null],
  ['request.body["user"]', 'ann'],
  ['request.body[`us${"er"}`]', 'ann'],
  ['request.body.items[1].sku', 'b'],
  ['request.body.items[7].sku', null],
  ['request.body.items[-1]', null],
  ['request.body.items[0.5]', null],
  ['request.body.items.length', 2],
  ['request.body.user.length', 3],
  ['request.body.user[0]', 'a'],
  ['request.body.user[9]', null],
  ['["abc"["0"], "abc"[""], "abc"["01"], "abc"["0x1"], [7]["0"], [7]["00"]]', ['a', null, null, null, 7, null]],
  ['request.body.missing.deeper.still', null],
  ['request.body?.missing?.[0]', null],
  ['request.body.missing?.map(x => x).filter(x => x)', null],
  // Operators.
  ['1 + 2 * 3 - 4 / 8 % 3', 6.5],
  ['-request.body.items[0].count', -2],
  ['"a" + "b"', 'ab'],
  ['"a" < "b" && 2 >= 2', true],
  ['1 === "1"', false],
  ['null === request.body.missing', true],
  ['request.body.items !== null', true],
  ['request.body.items === 1', false],
  ['!voucher.ok || voucher.left > 2', true],
  ['request.body.missing ?? "none"', 'none'],
  ['false ?? true', false],
  ['voucher.ok ? "yes" : "no"', 'yes'],
  ['false && 1', false],
  ['true || 1', true],
  ['0 * -1', 0],
  // List methods.
  ['request.body.items.map(item => item.count)', [2, 3]],
  ['request.body.items.map((item, index) => index)', [0, 1]],
  ['request.body.items.filter(item => item.count > 2)', [{ sku: 'b', count: 3 }]],
  ['request.body.items.some(item => item.count > 2)', true],
  ['request.body.items.every(item => item.count > 2)', false],
  ['request.body.items.find(item => item.sku === "b").count', 3],
  ['request.body.items.find(item => false)', null],
  ['request.body.items.findIndex(item => item.sku === "b")', 1],
  ['request.body.items.reduce((total, item) => total + item.count, 0)', 5],
  ['request.body.items.reduce((all, item, index) => [...all, index], [])', [0, 1]],
  ['[3, 1, 2].sort((a, b) => a - b)', [1, 2, 3]],
  ['["b", "a"].sort((a, b) => compare(a, b))', ['a', 'b']],
  ['[1, 2].flatMap(n => [n, n * 10])', [1, 10, 2, 20]],
  ['[1, 2].flatMap(n => n)', [1, 2]],
  [
    '[1, 2].map(a => [3, 4].map(b => a * b))',
    [
      [3, 4],
      [6, 8],
    ],
  ],
  ['[1, 2].map(n => ({ n }))', [{ n: 1 }, { n: 2 }]],
  // Variables, secrets, the run.
  ['vars.stock', 10],
  ['vars.stock > 0 && request.body.user !== ""', true],
  ['vars.highest.value + 1', 101],
  ['vars.profile[request.body.user].name', 'value of "ann"'],
  ['vars.cart[[request.body.user, "x"]].name', 'value of ["ann","x"]'],
  ['vars.settings.title.length', 5],
  ['age(vars.stock) > duration("1s")', true],
  ['hmac(secrets.KEY, "text") === hmac("value of KEY", "text")', true],
  ['now() + random()', 1_000.5],
  ['uuid()', '00000000-0000-4000-8000-000000000000'],
];

describe('an expression', () => {
  it.each(gives)('%s gives %j', (source, expected) => {
    expect(run(source)).toEqual(expected);
  });

  it('reads what is missing as null, and never as undefined', () => {
    expect(run('[request.body.missing, request.nothing, voucher.x, [][0]]')).toStrictEqual([null, null, null, null]);
  });

  it('lists its reads in source order, keys before the reads that use them, and one for all reads of an unkeyed variable', () => {
    const { reads } = compileExpression('vars.stock + vars.profile[string(vars.hits)].n + vars.stock + age(vars.stock)', scope);
    expect(reads.map(({ text, age, key }) => [text, age, key === null])).toEqual([
      ['vars.stock', false, true],
      ['vars.hits', false, true],
      ['vars.profile[string(vars.hits)]', false, false],
      ['vars.stock', true, true],
    ]);
  });

  it('says which bound names it refers to, those in keys too, and which secrets show', () => {
    const compiled = compileExpression('vars.profile[request.body.user].n + secrets.KEY + hmac(secrets.OTHER, "")', {
      ...scope,
      secrets: { names: new Set(['KEY', 'OTHER']), allowed: true },
    });
    expect([...compiled.names]).toEqual(['request']);
    expect([...compiled.secrets]).toEqual(['KEY']);
    expect([...(compiled.reads[0]?.key?.names ?? [])]).toEqual(['request']);
  });

  it('throws what a read throws only where the read is reached', () => {
    const broken = {
      ...frame(),
      read: () => {
        throw new Error('the key is null');
      },
    };
    const compiled = compileExpression('voucher.ok ? "safe" : vars.profile[request.body.missing].name', scope);
    expect(compiled.evaluate(broken)).toBe('safe');
    expect(() => compileExpression('vars.profile["a"].name', scope).evaluate(broken)).toThrow('the key is null');
  });

  it('is constant when nothing in it depends on the run, and is then computed once', () => {
    expect(compileExpression('[1 + 1, hash("a")]', scope).constant).toBe(true);
    expect(compileExpression('now()', scope).constant).toBe(false);
    expect(compileExpression('vars.stock', scope).constant).toBe(false);
    const list = compileExpression('[1, [2]]', scope);
    expect(list.evaluate(frame())).toBe(list.evaluate(frame()));
    expect(Object.isFrozen((list.evaluate(frame()) as unknown[])[1])).toBe(true);
  });
});

describe('a text with expressions in it', () => {
  const text = (value: string) => evaluate(compileTemplate(value, scope));

  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['${ vars.stock }', 10],
    [
      '${ request.body.items }',
      [
        { sku: 'a', count: 2 },
        { sku: 'b', count: 3 },
      ],
    ],
    [' ${ vars.stock }', ' 10'],
    ['Hi ${ request.body.user }, ${vars.stock} left!', 'Hi ann, 10 left!'],
    ['$${ this } is $5 and ${ 1 }', '${ this } is $5 and 1'],
    ["${ '}' }{${ `}${ '}' }` }", '}{}}'],
    ['${ { a: { b: 1 } }.a.b }', 1],
    ["${ 1 }it's", "1it's"],
    ['${1}${2}', '12'],
    ['$', '$'],
    ['{ }', '{ }'],
  ])('%j gives %j', (value, expected) => {
    expect(text(value)).toEqual(expected);
  });

  it.each([
    ['${', 'not closed'],
    ['${ }', 'no expression'],
    ['${ a', 'not closed'],
    ["${ 'a }", 'string constant'],
    ['${ (1 }', 'closes nothing'],
    ['${ 1; 2 }', 'unexpected token'],
    ['${ 1 }${ nobody }', 'no such name'],
  ])('%j does not compile: %s', (value, message) => {
    expect(() => text(value)).toThrow(message);
  });
});

describe('a value with expressions in it', () => {
  it('fills in the strings at any depth and leaves the rest as it is', () => {
    const value = { user: '${ request.body.user }', list: [1, 'n: ${ vars.stock }', { deep: '${ voucher }' }], none: null };
    const compiled = compileValue(value, scope);
    expect(evaluate(compiled)).toEqual({ user: 'ann', list: [1, 'n: 10', { deep: { ok: true, left: 3 } }], none: null });
    expect(compiled.reads.map((read) => read.variable)).toEqual(['stock']);
  });

  it('shares one frozen copy of a value without expressions', () => {
    const compiled = compileValue({ a: [{ b: 1 }] }, scope);
    expect(compiled.constant).toBe(true);
    expect(compiled.evaluate(frame())).toBe(compiled.evaluate(frame()));
    expect(() => Object.assign(compiled.evaluate(frame()) as object, { c: 1 })).toThrow(TypeError);
  });

  it('refuses expressions in keys, forbidden keys, and nesting without end', () => {
    expect(() => compileValue({ '${ a }': 1 }, scope)).toThrow('keys are literal');
    expect(() => compileValue(JSON.parse('{"a": {"__proto__": 1}}'), scope)).toThrow('not allowed');
    expect(() => compileValue(JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`), scope)).toThrow('nested more than 64 deep');
  });

  it('points at the string that is wrong', () => {
    const places = (path: readonly (string | number)[]) => ({ file: 'a.yaml', line: path.length, column: 5 });
    expect(() => compileValue({ a: ['ok', 'x ${ nobody }'] }, scope, places)).toThrow(
      expect.objectContaining({ place: { file: 'a.yaml', line: 2, column: 10 } }),
    );
  });
});
