import { describe, expect, it } from 'vitest';
import {
  encodingWriter,
  keyBytes,
  keyEncoder,
  MillraceError,
  placedMessageOf,
  unwritable,
} from '../../src/core/index.js';
import { originAt } from '../../src/testing/contract.js';

describe('keyBytes', () => {
  it('takes text, also the empty one', () => {
    expect([keyBytes('ä'), keyBytes('')]).toEqual([Buffer.from('ä'), Buffer.from('')]);
  });

  it.each([undefined, null, 5, {}, ['a'], Symbol('a')])('takes nothing else: %o', (key) => {
    expect(() => keyBytes(key)).toThrow(/^the key is \w+, not text$/);
  });
});

describe('keyEncoder', () => {
  it('gives the bytes of each key, whatever came before', () => {
    const encode = keyEncoder();
    const keys = Array.from({ length: 5_000 }, (_, i) => `key ${i % 1_500}`);
    for (const key of ['', 'ä', '\u{10ffff}', 'x'.repeat(24), 'x'.repeat(25), ...keys])
      expect(Buffer.compare(encode(key), Buffer.from(key))).toBe(0);
  });

  it('encodes a short key once', () => {
    const encode = keyEncoder();
    expect(encode('JFK')).toBe(encode(['J', 'FK'].join('')));
  });

  it('takes nothing else than text', () => {
    expect(() => keyEncoder()(null)).toThrow('the key is null, not text');
  });
});

describe('unwritable', () => {
  it('names the sink and the record, whoever threw', () => {
    const error = unwritable(new TypeError('no foo'), 'out', originAt(7));
    expect(error).toMatchObject({ code: 'sink', where: 'out', permanent: true });
    expect(error.message).toMatch(/^a callback of the sink threw: no foo at .+\[\d+\]@7$/);
  });

  it('keeps what an error of ours says', () => {
    const inner = new MillraceError('schema', 'a hole', { where: 'json', hint: 'fill it', permanent: true });
    expect(unwritable(inner, 'out')).toMatchObject({
      code: 'schema',
      where: 'out (json)',
      hint: 'fill it',
      permanent: true,
    });
    expect(placedMessageOf(unwritable(inner, 'out'))).toBe('a hole (out (json))');
    expect(placedMessageOf(new MillraceError('sink', 'no answer of x', { where: 'x' }))).toBe('no answer of x');
  });
});

describe('encodingWriter', () => {
  const open = () => {
    const encoded: unknown[] = [];
    const appended: string[] = [];
    const writer = encodingWriter<string>({
      encode(value) {
        encoded.push(value);
        if (value === 'none') throw new MillraceError('schema', 'no form', { permanent: true });
        if (value === 'odd') throw new TypeError('no foo');
        return `<${value}>`;
      },
      append: (values) => void appended.push(...values),
    });
    return { writer, encoded, appended };
  };

  it('encodes each value once, and says of which there is no form', () => {
    const { writer, encoded, appended } = open();
    const values = ['a', 'none', 'b', 'b'];
    const answers = values.map((value, n) => writer.unrepresentable(value, originAt(n)));
    expect(answers).toEqual([undefined, 'no form', undefined, undefined]);
    writer.write(
      ['a', 'b', 'b'],
      [0, 2, 3].map((n) => originAt(n)),
    );
    expect([encoded, appended]).toEqual([values, ['<a>', '<b>', '<b>']]);
  });

  it('encodes a chunk that is taken whole once, also where another one is asked about before it is written', () => {
    const { writer, encoded, appended } = open();
    const [one, two] = [
      ['a', 'b'],
      ['c', 'd'],
    ] as const;
    const origins = [originAt(0), originAt(1)];
    expect([writer.takesAll(one, origins), writer.takesAll(two, origins)]).toEqual([true, true]);
    writer.write(one, origins);
    writer.write(two, origins);
    expect([encoded, appended]).toEqual([
      ['a', 'b', 'c', 'd'],
      ['<a>', '<b>', '<c>', '<d>'],
    ]);
    writer.write(two, origins);
    expect(appended).toHaveLength(6);
  });

  it.each([['none'], ['odd']])('does not take a chunk with %s whole, and keeps nothing of it', (value) => {
    const { writer, appended } = open();
    expect(writer.takesAll(['a', value], [originAt(0), originAt(1)])).toBe(false);
    expect(writer.unrepresentable('a', originAt(0))).toBeUndefined();
    writer.write(['a'], [originAt(0)]);
    expect(appended).toEqual(['<a>']);
  });

  it('does not take a chunk whole of which the target refuses a value', () => {
    const writer = encodingWriter<string>({
      encode: String,
      refusal: (encoded) => (encoded.length > 3 ? 'too long' : undefined),
      append: () => undefined,
    });
    expect(writer.takesAll(['one', 'two'], [originAt(0), originAt(1)])).toBe(true);
    expect(writer.takesAll(['one', 'three'], [originAt(0), originAt(1)])).toBe(false);
  });

  it('takes no mistake of a callback for a value without a form', () => {
    expect(() => open().writer.unrepresentable('odd', originAt(0))).toThrow('no foo');
  });
});
