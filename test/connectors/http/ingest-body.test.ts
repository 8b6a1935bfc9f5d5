import { expect, it } from 'vitest';
import { linesOf, NotJson, type RecordTexts, valuesOf } from '../../../connectors/http/ingest-body.js';

/** The texts of a body, and how many turns of the loop it leaves to others. */
function read(texts: RecordTexts) {
  const all = [...texts];
  return {
    texts: all.flatMap((text) => text?.toString() ?? []),
    turns: all.filter((text) => text === undefined).length,
  };
}

const lineOf = (i: number) => `{"id":${i},"text":"${'x'.repeat(1_000)}"}`;
const records = Array.from({ length: 1_024 }, (_, i) => lineOf(i));

it('gives the lines of a body, and others a turn each 256 KiB', () => {
  const { texts, turns } = read(linesOf(Buffer.from(records.join('\r\n'))));
  expect(texts).toEqual(records);
  expect(turns).toBe(3);
  expect(read(linesOf(Buffer.from('\n 1 \n\n\t2\r\n')))).toEqual({ texts: ['1', '2'], turns: 0 });
  expect(read(linesOf(Buffer.alloc(0)))).toEqual({ texts: [], turns: 0 });
});

it('gives the values of a list, and others a turn each 256 KiB', () => {
  const { texts, turns } = read(valuesOf(Buffer.from(`[${records.join(' ,\n')}]`)));
  expect(texts).toEqual(records);
  expect(turns).toBe(3);
  expect(read(valuesOf(Buffer.from(' {"a":[1,"]"]} ')))).toEqual({ texts: ['{"a":[1,"]"]}'], turns: 0 });
  expect(read(valuesOf(Buffer.from(`["${'\\\\'.repeat(1 << 19)}"]`))).turns).toBe(4); // escapes are read two bytes at a time
  expect(read(valuesOf(Buffer.from('[]')))).toEqual({ texts: [], turns: 0 });
});

it.each(['[1,,2]', '[1,2', '[1]2]', '["a', `${'['.repeat(1_001)}${']'.repeat(1_001)}`])(
  'refuses a body: %.20s',
  (text) => {
    expect(() => read(valuesOf(Buffer.from(text)))).toThrow(NotJson);
  },
);
