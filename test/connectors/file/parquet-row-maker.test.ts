import { describe, expect, it } from 'vitest';
import { rowMaker } from '../../../connectors/file/parquet/parquet-row-maker.js';

describe('rowMaker', () => {
  it('makes what JSON has: no numbers but finite ones, no sign of a zero, fields of any name', () => {
    const make = rowMaker({
      first: 0,
      rows: 4,
      columns: [
        { name: '__proto__', kind: 'numbers', values: Float64Array.of(-0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY) },
        { name: 'ok', kind: 'booleans', values: Uint8Array.of(0, 1, 2, 1) },
        { name: 'a"\u2028', kind: 'texts', indices: Int32Array.of(1, 0, -1, 1), texts: ['x', 'y'] },
        { name: 'list', kind: 'json', indices: Int32Array.of(0, -1, 0, 1), texts: ['[1]', '{"a":"1"}'], depth: 1 },
      ],
    });
    const rows = [0, 1, 2, 3].map((row) => Object.entries(make(row)));
    expect(rows).toEqual([
      [
        ['__proto__', 0],
        ['ok', false],
        ['a"\u2028', 'y'],
        ['list', [1]],
      ],
      [
        ['__proto__', 1.5],
        ['ok', true],
        ['a"\u2028', 'x'],
        ['list', null],
      ],
      [
        ['__proto__', null],
        ['ok', null],
        ['a"\u2028', null],
        ['list', [1]],
      ],
      [
        ['__proto__', null],
        ['ok', true],
        ['a"\u2028', 'y'],
        ['list', { a: '1' }],
      ],
    ]);
    expect(Object.is(rows[0]?.[0]?.[1], 0)).toBe(true);
    expect(make(0).list).not.toBe(make(2).list); // nobody sees what another one did to it
  });

  it('makes times as toISOString does, in any order and of any year', () => {
    const times = [
      0, -1, 59_999, 60_000, -62_198_755_200_000, 8.64e15, -8.64e15, 253_402_300_800_001, 1_700_000_000_123,
    ];
    const values = Float64Array.of(...times, Number.NaN);
    const make = rowMaker({ first: 0, rows: 10, columns: [{ name: 'at', kind: 'times', values }] });
    const made = Array.from({ length: 10 }, (_, row) => make(row).at);
    expect(made).toEqual([...times.map((time) => new Date(time).toISOString()), null]);
  });
});
