import { describe, expect, it } from 'vitest';
import { encodingWriter, keyBytes, MillraceError, placedMessageOf, unwritable } from '../../src/core/index.js';
import { originAt } from '../../src/testing/contract.js';

describe('keyBytes', () => {
  it('takes text, also the empty one', () => {
    expect([keyBytes('ä'), keyBytes('')]).toEqual([Buffer.from('ä'), Buffer.from('')]);
  });

  it.each([undefined, null, 5, {}, ['a'], Symbol('a')])('takes nothing else: %o', (key) => {
    expect(() => keyBytes(key)).toThrow(/^the key is \w+, not text$/);
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

  it('takes no mistake of a callback for a value without a form', () => {
    expect(() => open().writer.unrepresentable('odd', originAt(0))).toThrow('no foo');
  });
});
