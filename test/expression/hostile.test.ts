// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is tested
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CffbrwError } from '../../src/error.ts';
import { compileExpression, compileTemplate } from '../../src/expression/index.ts';
import type { Json } from '../../src/strategy/json.ts';
import { evaluate, frame, run, scope } from './example.ts';
import { mutatedSource, runInText, runMutant } from './mutants.ts';

const runs = Number(process.env.CFFBRW_RUNS ?? 1);
const codes = ['INVALID_EXPRESSION', 'EXPRESSION_FAILED', 'EXPRESSION_COST'];

/** The value, or the code of the error that the language may give; anything else is thrown on. */
function outcome(work: () => Json): { value: Json } | { code: string } {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof CffbrwError && codes.includes(error.code)) return { code: error.code };
    throw error;
  }
}

/** What broke out of the sandboxes of n8n and vm2, by family. None may compile, or its value must be null. */
const payloads: Record<string, readonly string[]> = {
  'constructor chains': [
    'constructor',
    'constructor.constructor("return process")()',
    '"".constructor.constructor("return process")()',
    '[].constructor.constructor("return this")()',
    '({}).constructor.constructor("return process.env")()',
    '(1).constructor',
    'true.constructor',
    '[]["constructor"]["constructor"]',
    '""["con" + "structor"]["con" + "structor"]',
    '[]["filter"]["constructor"]("return 1")()',
    'request[`constructor`][`constructor`]',
    'request.body.items.map.constructor',
    'request.body.items.map(x => x.constructor.constructor)[0]',
    '(() => 1).constructor("return process")()',
    '[1].map((x => x).constructor)',
    'upper.constructor("return process")()',
    'upper.call',
    '(function () { return this })()',
    '(function () { return this.process.mainModule.require("child_process").execSync("id") })()',
    '(async () => {}).constructor("return process")()',
    '(function* () {}).constructor("return process")()',
  ],
  prototypes: [
    'request.__proto__',
    '({}).__proto__',
    '[].__proto__.map',
    '"".__proto__.constructor',
    'request["__proto__"]["polluted"]',
    'request.prototype',
    'request.__lookupGetter__("__proto__")',
    'request.__defineGetter__("a", x => x)',
    'Object.prototype',
    'Object.getPrototypeOf(request)',
    'Reflect.get(request, "constructor")',
    'fromEntries([["__proto__", { polluted: 1 }]]).polluted',
    '({ ["__proto__"]: { polluted: 1 } }).polluted',
    '({ __proto__: { polluted: 1 } }).polluted',
    '({ __proto__ }).polluted',
    '[[["__proto__"]]][0][0].polluted',
  ],
  'conversions and getters': [
    '({ toString: 1 }) + ""',
    '({ valueOf: 2 }) - 1',
    '({ toString() { return "constructor" } })',
    '({ get a() { return process } }).a',
    '({ set a(v) { process.exit() } })',
    'request[{ toString: "constructor" }]',
    'request[["constructor"]]',
    'request[["__proto__"]]',
    '`${{ toString: 1 }}`',
    'request.toString',
    'request.body.user.toString',
    '[].toString',
    'request.valueOf',
    'request.hasOwnProperty',
    'request.body.user.at',
    'request.body.items.concat',
  ],
  'tagged templates': [
    'constructor`a`',
    '"".constructor.constructor`return process```',
    'upper`${1}`',
    '[].map`${1}`',
    'String.raw`a`',
  ],
  'errors and stacks': [
    'new Error().stack',
    'Error.prepareStackTrace',
    'Error.captureStackTrace(request)',
    '(() => { throw 1 })()',
    'null.a.constructor',
    'undefined.a',
    '[1].map(x => { try { null.f() } catch (e) { return e.constructor } })',
  ],
  'symbols, proxies, reflection': [
    'Symbol.species',
    'request[Symbol.iterator]',
    'new Proxy(request, {})',
    'Reflect.construct(Function, ["return process"])()',
    'Reflect.ownKeys(request)',
    'Array.from({ length: 1 }, x => x)',
    '[].constructor.from',
    'Promise.resolve().then(x => x)',
    'new Promise(r => r())',
    'WebAssembly.Module',
  ],
  'the world outside': [
    'process',
    'process.env',
    'globalThis',
    'global.process',
    'window',
    'self',
    'require("fs")',
    'import("fs")',
    'module.exports',
    'Buffer.from("a")',
    'fetch("http://localhost")',
    'setTimeout("1")',
    'eval("1")',
    'Function("return process")()',
    'new Function("return process")()',
    'this.constructor.constructor("return process")()',
    'this',
    'arguments',
    'arguments.callee',
    'super.a',
    'new.target',
    'import.meta.url',
    '$json.a',
    '$items()',
    '{{ $json }}',
    'with (request) { body }',
    'debugger',
    'request.body.user = "root"',
    'request.body.items[0].count++',
    'delete request.body',
    'var process = 1',
    '(request.body.user, process)',
    '\\u0070rocess',
    '\\u{70}rocess.env',
    'request.\\u0063onstructor',
  ],
};

describe.each(Object.entries(payloads))('of %s', (_family, sources) => {
  it.each(sources)('%s does not compile, fails, or is null', (source) => {
    const found = outcome(() => run(source));
    if ('value' in found) expect(found.value === null || (Array.isArray(found.value) && found.value[0] === null)).toBe(true);
  });

  it.each(sources)('%s is no better inside a text', (source) => {
    const found = outcome(() => evaluate(compileTemplate(`a \${ ${source} } b`, scope)));
    expect(found).toEqual({ code: expect.any(String) });
  });
});

describe('names that every value inherits', () => {
  const inherited = [
    ...new Set([Object, Array, String, Number, Boolean, Function].flatMap((one) => Object.getOwnPropertyNames(one.prototype))),
  ]
    .filter((name) => name !== 'length')
    .concat('caller', 'arguments', 'callee', 'mainModule', 'stack');

  it.each([
    'request',
    'request.body.items',
    'request.body.user',
    'voucher.left',
    'voucher.ok',
    '({})',
    '[]',
    '""',
    '1',
    'null',
  ])('read as null on %s', (value) => {
    for (const name of inherited) {
      expect(run(`(${value})[string(${JSON.stringify(name)})]`), name).toBeNull();
      if (!/^\W|^\d/.test(name) && value !== '({})') expect(run(`(${value}).${name}`), name).toBeNull();
    }
  });

  it('read as null even where data from outside has them', () => {
    const values = [JSON.parse('{"__proto__": 1, "constructor": 2, "a": {"prototype": 3}}') as Json];
    const read = (source: string) => compileExpression(source, scope).evaluate({ ...frame(), values });
    expect(read('[request.__proto__, request.constructor, request.a.prototype, request["__pro" + "to__"]]')).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(outcome(() => read('{ ...request }'))).toEqual({ code: 'EXPRESSION_FAILED' });
  });

  it('stay out of reach when somebody has polluted the prototypes', () => {
    Object.defineProperty(Object.prototype, 'polluted', { value: 'yes', configurable: true });
    try {
      expect(run('[request.polluted, request["pol" + "luted"], [].polluted, "".polluted, voucher.ok.polluted]')).toEqual([
        null,
        null,
        null,
        null,
        null,
      ]);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted');
    }
  });
});

/** As much of each as an expression may be long. Compiling must end with an error, and quickly. */
const floods: Record<string, string> = {
  'open brackets': '('.repeat(5_000),
  'brackets in brackets': `${'('.repeat(8_000)}1${')'.repeat(8_000)}`,
  lists: `${'['.repeat(8_000)}${']'.repeat(8_000)}`,
  objects: `${'{a:'.repeat(4_000)}1${'}'.repeat(4_000)}`,
  'more text than is read': `"${'a'.repeat(20_000)}"`,
  nots: `${'!'.repeat(16_000)}true`,
  minuses: `${'- '.repeat(8_000)}1`,
  sums: `1${'+1'.repeat(8_000)}`,
  powers: `1${'**1'.repeat(5_000)}`,
  conditionals: `${'true?1:'.repeat(2_000)}1`,
  'conditionals in conditionals': `${'true?'.repeat(2_300)}1${':1'.repeat(2_300)}`,
  members: `request${'.a'.repeat(8_000)}`,
  'optional members': `request${'?.a'.repeat(5_000)}`,
  indexes: `request${'[0]'.repeat(5_000)}`,
  'indexes in indexes': `${'request['.repeat(1_600)}0${']'.repeat(1_600)}`,
  calls: `upper${'()'.repeat(8_000)}`,
  'calls in calls': `${'upper('.repeat(1_800)}""${')'.repeat(1_800)}`,
  templates: `${'`${'.repeat(3_000)}1${'}`'.repeat(3_000)}`,
  arrows: `${'x=>'.repeat(5_000)}1`,
  methods: `${'[1].map(x=>'.repeat(1_300)}1${')'.repeat(1_300)}`,
  'chained methods': `[1]${'.map(x=>x)'.repeat(1_500)}`,
  news: `${'new '.repeat(4_000)}a`,
  typeofs: `${'typeof '.repeat(2_000)}a`,
  functions: `${'(function(){'.repeat(1_100)}${'})'.repeat(1_100)}`,
  labels: `x=>{${'a:'.repeat(8_000)}1}`,
  statements: `x=>{${'if(1)'.repeat(3_000)}1}`,
  classes: `${'(class{a='.repeat(1_250)}1${'})'.repeat(1_250)}`,
  'regular expressions': `/${'('.repeat(8_000)}${')'.repeat(8_000)}/`,
  patterns: `(${'[['.repeat(4_000)}a${']]'.repeat(4_000)})=>1`,
  nulls: `null${'??null'.repeat(2_500)}`,
  'and or': `${'true&&'.repeat(2_500)}true`,
  assignments: `${'a='.repeat(8_000)}1`,
  spreads: `${'[...'.repeat(3_000)}1${']'.repeat(3_000)}`,
  imports: `${'import('.repeat(1_800)}1${')'.repeat(1_800)}`,
  asyncs: `${'async x=>'.repeat(1_800)}1`,
  commas: `${'1,'.repeat(8_000)}1`,
  'odd tokens': '\u0000'.repeat(16_000),
};

describe('a source made to exhaust the parser', () => {
  it.each(Object.entries(floods))('of %s does not compile', (name, source) => {
    expect(source.length <= 16_384).toBe(name !== 'more text than is read');
    expect(outcome(() => run(source))).toEqual({ code: 'INVALID_EXPRESSION' });
    expect(outcome(() => evaluate(compileTemplate(`\${${source}}`, scope)))).toEqual({ code: 'INVALID_EXPRESSION' });
  });

  it.each([
    'open brackets',
    'nots',
    'sums',
    'powers',
    'conditionals',
    'members',
    'arrows',
    'news',
    'labels',
    'statements',
    'templates',
  ])('of %s is refused before the parser sees it', (name) => {
    expect(() => run(floods[name] ?? '')).toThrow('more than 200 deep');
  });

  it('leaves stack enough even when compiling starts deep in it', () => {
    const deep = (levels: number): void => {
      if (levels > 0) {
        deep(levels - 1);
        return;
      }
      for (const nested of ['(', '[', '!', '- ', 'true?1:', '`${', 'request[', 'upper(', '[1].map(x=>']) {
        outcome(() => run(`${nested.repeat(180)}1${')'.repeat(180)}`));
      }
    };
    deep(3_000);
  });

  it('still leaves room for what people write', () => {
    expect(run(`${'('.repeat(90)}1${')'.repeat(90)}`)).toBe(1);
    expect(run(`1${' + 1'.repeat(150)}`)).toBe(151);
    expect(run(`[${'request.body.user + "x", '.repeat(400)}1].length`)).toBe(401);
    expect(run(`{ ${Array.from({ length: 300 }, (_, index) => `k${index}: { a: [${index}] }`).join(', ')} }.k299.a[0]`)).toBe(
      299,
    );
    expect(evaluate(compileTemplate('${ vars.stock } '.repeat(500), scope))).toBe('10 '.repeat(500));
    expect(evaluate(compileTemplate('x'.repeat(200_000), scope))).toHaveLength(200_000);
  });
});

const ten = '[0,1,2,3,4,5,6,7,8,9]';

describe('an expression made to work or grow without end', () => {
  it.each([
    ['loops in loops', `range(10000).map(a => range(10000).filter(b => a === b))`],
    ['loops in loops in loops', `range(1000).map(a => range(1000).map(b => range(1000).map(c => a + b + c)))`],
    ['a list that is copied again and again', 'range(10000).reduce((all, x) => [...all, x], [])'],
    ['an object that is copied again and again', 'range(10000).reduce((all, x) => ({ ...all, [x]: x }), {})'],
    ['a small value that is a huge tree', 'range(60).reduce((all, x) => [all, all], [])'],
    ['a huge tree as text', 'json(range(60).reduce((all, x) => [all, all], []))'],
    ['a huge tree as text, piece by piece', 'range(20).reduce((all, x) => [all, all], []).map(x => json(x))'],
    ['searching long texts', 'range(100000).filter(x => includes(range(1000).reduce((all, y) => all + "aaaaaaaaaa", ""), "b"))'],
    ['digests', 'range(100000).map(x => hash(string(x)))'],
    ['time zones', 'range(100000).map(x => iso(x, "Asia/Tokyo"))'],
    ['sorting', 'range(100000).sort((a, b) => ((a * 7919) % 100003) - ((b * 7919) % 100003))'],
    ['splitting', 'range(10000).map(x => split(range(100).reduce((all, y) => all + "a ", ""), " "))'],
    ['reversing', 'range(10000).map(x => reverse(range(1000)))'],
    ['keys', `range(100000).map(x => len(keys(fromEntries(${ten}.map(y => [y, y])))))`],
  ])('%s: %s runs out of fuel', (_name, source) => {
    expect(outcome(() => run(source))).toEqual({ code: 'EXPRESSION_COST' });
  });

  it.each([
    ['doubling a text', 'range(60).reduce((all, x) => all + all, "aaaa")'],
    ['doubling a text in a template', 'range(60).reduce((all, x) => `${all}${all}`, "aaaa")'],
    ['doubling by replacing', 'range(60).reduce((all, x) => replace(all, "a", "aa"), "aaaa")'],
    ['doubling by joining', 'range(60).reduce((all, x) => join([all, all], all), "aaaa")'],
    ['nesting without end', 'range(1000).reduce((all, x) => [all], [])'],
    ['nesting without end, as text', 'json(range(10000).reduce((all, x) => ({ all }), {}))'],
    ['a list too long', 'range(100001)'],
    ['a list too long in parts', '[...range(60000), ...range(60000)]'],
    ['a huge number of digits', 'number(join(range(1000), "")) > 0'],
  ])('%s: %s is refused', (_name, source) => {
    expect(outcome(() => run(source))).toEqual({ code: 'EXPRESSION_FAILED' });
  });

  it('is paid from one budget by all expressions of a run', () => {
    const compiled = compileExpression('range(100).map(x => x + 1).length', scope);
    const shared = frame(2_000);
    expect(compiled.evaluate(shared)).toBe(100);
    const left = shared.fuel.left;
    expect(left).toBeLessThan(2_000);
    expect(
      outcome(() => {
        for (;;) compiled.evaluate(shared);
      }),
    ).toEqual({ code: 'EXPRESSION_COST' });
  });

  it('costs the same each time, whatever came before', () => {
    const cost = () => {
      const one = frame();
      compileExpression('request.body.items.map(item => `${item.sku}: ${item.count}`)', scope).evaluate(one);
      return 1_000_000 - one.fuel.left;
    };
    expect([cost(), cost(), cost()]).toEqual([19, 19, 19]);
  });
});

describe('a source that is changed at random', () => {
  it('gives a value or an error of the list, never anything else (E5)', () => {
    let good = 0;
    fc.assert(
      fc.property(mutatedSource, (mutated) => {
        const bare = outcome(() => runMutant(mutated, 100_000));
        if ('value' in bare) expect(() => structuredClone(bare.value)).not.toThrow();
        if ('value' in bare) good += 1;
        outcome(() => runInText(`x \${ ${mutated} } \${ ${mutated}`, 100_000));
        outcome(() => runInText(`x \${ ${mutated} } \${ ${mutated} }`, 100_000));
      }),
      { numRuns: 2_000 * runs },
    );
    expect(good).toBeGreaterThan(100 * runs);
  });
});
