import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashFields, unrepresentableHash, unrepresentableJson } from '../../connectors/redis/hash-fields.js';
import { jsonText } from '../../src/util/json-text.js';

describe('jsonText', () => {
  it('is what JSON.stringify writes of what has no Map in it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(jsonText(value)).toBe(JSON.stringify(value));
      }),
    );
    expect(jsonText({ a: null, b: [null, { c: null }], text: 'null' })).toBe(
      '{"a":null,"b":[null,{"c":null}],"text":"null"}',
    );
    expect(jsonText({ flat: true, name: 'é"', n: -0, big: 1e21 })).toBe(
      '{"flat":true,"name":"é\\"","n":0,"big":1e+21}',
    );
    expect(jsonText({ id: 1, toJSON: () => ({ by: new Map([['a', 1]]) }) })).toBe('{"by":{"a":1}}');
    expect(jsonText(undefined)).toBeUndefined();
    expect(jsonText({ at: new Date(0), gone: undefined, none: {} })).toBe(
      '{"at":"1970-01-01T00:00:00.000Z","none":{}}',
    );
  });

  it('writes a Map as the object of its entries, wherever it stands', () => {
    const map = new Map<unknown, unknown>([
      ['__proto__', 1],
      [7, [new Map([['b', {}]])]],
    ]);
    expect(JSON.parse(jsonText({ map, empty: new Map() }) ?? '')).toEqual(
      JSON.parse('{"map":{"7":[{"b":{}}],"__proto__":1},"empty":{}}'),
    );
  });

  it.each([
    ['a Set', { tags: new Set(['a']) }],
    ['a Map with keys that are no texts', [new Map([[{}, 1]])]],
    [
      'a Map in which two keys are the same text',
      new Map<unknown, number>([
        ['1', 1],
        [1, 2],
      ]),
    ],
    ['a sum that overflowed', { total: 1e308 + 1e308 }],
    ['what is not a number, beside what is missing', { none: null, deep: [{ mean: Number.NaN }] }],
    ['an infinity in a Map', { by: new Map([['a', Number.NEGATIVE_INFINITY]]) }],
    ['a date that is none', { at: new Date(Number.NaN) }],
  ])('has nothing for %s', (_what, value) => {
    expect(() => jsonText(value)).toThrow(TypeError);
    expect(unrepresentableJson(value)).toMatch(/^no JSON: .*has none/);
  });
});

describe('fields of a hash', () => {
  it('keep Maps as JSON, and have no room for Sets, nor for a value that is one of them', () => {
    expect(hashFields({ by: new Map([['a', 1]]) })).toEqual({ by: '{"a":1}' });
    expect(unrepresentableHash('k', { by: new Map([['a', 1]]) })).toBeUndefined();
    expect(unrepresentableHash('k', { tags: new Set() })).toBe('field tags is no JSON: a Set has none');
    expect(unrepresentableHash('k', new Map([['a', 1]]))).toBe('a Map has no fields');
  });
});
