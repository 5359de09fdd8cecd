import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxJsonDepth, parseJson } from '../../src/http/json.ts';

const runs = 200 * Number(process.env.CFFBRW_RUNS ?? 1);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('JSON from outside', () => {
  it('is read as JSON.parse reads it, whatever is in it', () => {
    const plain = fc.jsonValue({ maxDepth: 5 }).filter((value) => {
      const text = JSON.stringify(value);
      return !/"(__proto__|constructor|prototype)":/.test(text) && !/\\ud[89a-f]/.test(text);
    });
    fc.assert(
      fc.property(plain, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        // A double that is an integer beyond 2^53 prints as one: refusing it is what this is for.
        fc.pre((text.match(/-?\d{16,}/g) ?? []).length === 0 && !/[eE]/.test(text.replace(/"(\\.|[^"\\])*"/g, '')));
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: runs },
    );
  });

  it('never throws anything but INVALID_INPUT, whatever bytes come', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '\\u',
      'd800',
      '1',
      '-',
      '.',
      'e',
      '+',
      '9'.repeat(20),
      ' ',
      'a',
      'null',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          parseJson(pieces.join(''));
        } catch (error) {
          expect(error).toMatchObject({ name: 'CffbrwError', code: 'INVALID_INPUT' });
        }
      }),
      { numRuns: runs * 5 },
    );
  });

  it('may nest 64 levels and no more, at any length', () => {
    expect(parseJson(nested(maxJsonDepth))).toBeInstanceOf(Array);
    expect(() => parseJson(nested(maxJsonDepth + 1))).toThrow(/nests deeper than 64/);
    expect(() => parseJson('['.repeat(1_000_000))).toThrow(/nests deeper than 64/);
    expect(() => parseJson('{"a":'.repeat(200_000))).toThrow(/nests deeper than 64/);
    expect(parseJson(`[${'[],'.repeat(1000)}[]]`)).toHaveLength(1001);
  });

  it.each([
    ['1e400', /too large/],
    ['[-1e999]', /too large/],
    ['{"n":9007199254740993}', /would be rounded/],
    ['9007199254740992', /would be rounded/],
    ['-9007199254740992', /would be rounded/],
    [`1${'0'.repeat(400)}`, /too large/],
    ['1e-400', /would become 0/],
    ['0.0000000000000000001e-400', /would become 0/],
  ])('refuses the number in %s', (text, message) => {
    expect(() => parseJson(text)).toThrow(message);
  });

  it.each([
    '9007199254740991',
    '-9007199254740991',
    '0.1',
    '1e5',
    '-0',
    '0e10',
    '0.000',
    '1.7976931348623157e308',
    '5e-324',
    '"1e400"',
  ])('reads %s as it is', (text) => {
    expect(parseJson(text)).toBe(JSON.parse(text));
  });

  it.each([
    '{"__proto__":1}',
    '{"a":{"constructor":1}}',
    '[{"prototype":1}]',
    '{"\\u005f_proto__":1}',
    '{"a":1 , "__proto__" : 2}',
    '{"a":[1,{"b":"x"}],"__proto__":{}}',
  ])('refuses the key in %s', (text) => {
    expect(() => parseJson(text)).toThrow(/which is not allowed/);
  });

  it('takes the same words as values', () => {
    expect(parseJson('["__proto__",{"a":"constructor"},"prototype"]')).toEqual(['__proto__', { a: 'constructor' }, 'prototype']);
  });

  it('refuses a key that comes twice in one object, in few and in many keys, but not one per object', () => {
    expect(() => parseJson('{"a":1,"b":2,"a":3}')).toThrow(/"a" twice/);
    expect(() => parseJson('{"a":1,"\\u0061":3}')).toThrow(/"a" twice/);
    expect(() => parseJson('{"a":{"b":1},"a":3}')).toThrow(/"a" twice/);
    const many = Array.from({ length: 5000 }, (_, index) => `"k${index}":${index}`).join(',');
    expect(parseJson(`{${many}}`)).toHaveProperty('k4999', 4999);
    expect(() => parseJson(`{${many},"k17":0}`)).toThrow(/"k17" twice/);
    expect(parseJson('[{"a":1},{"a":{"a":1}}]')).toEqual([{ a: 1 }, { a: { a: 1 } }]);
  });

  it('refuses half a surrogate pair and takes a whole one', () => {
    expect(() => parseJson('"\\ud83d"')).toThrow(/surrogate/);
    expect(() => parseJson('{"\\udc00":1}')).toThrow(/surrogate/);
    expect(() => parseJson('["ok","x\\uD83Dy"]')).toThrow(/surrogate/);
    expect(parseJson('"\\ud83d\\ude00"')).toBe('😀');
    expect(parseJson('"\\\\ud83d"')).toBe('\\ud83d');
  });

  it.each([
    '',
    '{',
    '{"a"}',
    'nul',
    '"',
    '"\\',
    '[1,]',
    '{,}',
    "{'a':1}",
    '01',
    '1 2',
    '\ufeff\ufeff1',
    'NaN',
    'undefined',
    '--1',
    '-',
  ])('refuses %j as no JSON', (text) => {
    expect(() => parseJson(text)).toThrow(/is not JSON/);
  });
});
