import { describe, expect, it } from 'vitest';
import { folded } from '../../../../src/operators/text/pii/folded.js';

const between = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i));

describe('a folded text', () => {
  it('has fullwidth forms and the digits of mathematics as Unicode decomposes them', () => {
    for (const each of [...between(0xff01, 0xff5e), ...between(0x1d7ce, 0x1d7ff), '\u3000'])
      expect([each, folded(each).text]).toEqual([each, each.normalize('NFKC')]);
  });

  it('leaves the neighbours of those forms as they are', () => {
    for (const each of ['\uff00', '\uff5f', '\u3001', '\u{1d7cd}', '\u{1d800}', '\u00ae'])
      expect(folded(each).text).toBe(each);
  });

  it('knows where its characters stand in the original', () => {
    const original = 'id \u{1d7d9}\u200b\uff12x';
    const { text, originOf } = folded(original);
    expect(text).toBe('id 12x');
    const { start, end } = originOf(3, 5);
    expect(original.slice(start, end)).toBe('\u{1d7d9}\u200b\uff12');
    expect(originOf(0, 2)).toEqual({ start: 0, end: 2 });
  });
});
