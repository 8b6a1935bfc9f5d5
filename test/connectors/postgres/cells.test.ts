import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayOf, cellOf } from '../../../connectors/postgres/cells.js';

describe('cells of Postgres', () => {
  it('are times, bytes and objects as texts that Postgres reads', () => {
    expect(cellOf('timestamptz')(0)).toBe('1970-01-01T00:00:00.000Z');
    expect(cellOf('date')(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
    expect(cellOf('daterange')(0)).toBe('0');
    expect(cellOf('bytea')(Buffer.from('ü'))).toBe('\\xc3bc');
    expect(cellOf('jsonb')({ a: 1n })).toBe('{"a":"1"}');
    expect(cellOf('jsonb')({ a: new Map([['b', 1n]]) })).toBe('{"a":{"b":"1"}}');
    expect(cellOf('text')(new Map([['b', 1]]))).toBe('{"b":1}');
    expect(() => cellOf('jsonb')(new Set([1]))).toThrow(TypeError);
    expect(cellOf('jsonb')('x')).toBe('"x"');
    expect(cellOf('float8')(-0.5)).toBe('-0.5');
    expect([cellOf('text')(null), cellOf('jsonb')(undefined)]).toEqual([null, null]);
  });

  it('of a column are one array that has each of them again', () => {
    expect(arrayOf([])).toBe('{}');
    expect(arrayOf(['', null, 'NULL', '{,}'])).toBe('{"",NULL,"NULL","{,}"}');
    const cells = fc.array(fc.option(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^["\\\\{},]*$/))));
    fc.assert(fc.property(cells, (given) => isDeepStrictEqual(elementsOf(arrayOf(given)), given)));
  });
});

/** Reads an array as Postgres does: a backslash in quotes stands for what follows it. */
function elementsOf(text: string): (string | null)[] {
  const inner = text.slice(1, -1);
  const elements = inner.matchAll(/NULL|"((?:[^"\\]|\\[\s\S])*)"/g);
  return [...elements].map(([, quoted]) => quoted?.replaceAll(/\\([\s\S])/g, '$1') ?? null);
}
