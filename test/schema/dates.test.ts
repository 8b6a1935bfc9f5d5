import { describe, expect, it } from 'vitest';
import { csv, localRegistry, openCodec } from '../../src/schema/index.js';
import { orderOf, writtenDate } from '../../src/schema/plain/dates.js';

describe('dates as people write them', () => {
  it.each([
    ['31.12.2026', 'dmy', '2026-12-31T00:00:00.000Z'],
    ['1.2.2026 3:04', 'dmy', '2026-02-01T03:04:00.000Z'],
    ['1/2/2026, 03:04:05.6', 'mdy', '2026-01-02T03:04:05.600Z'],
    ['01-02-2026T03:04', 'dmy', '2026-02-01T03:04:00.000Z'],
    ['12/31/2026 12:00 AM', 'mdy', '2026-12-31T00:00:00.000Z'],
    ['12/31/2026 12:00 pm', 'mdy', '2026-12-31T12:00:00.000Z'],
    ['12/31/2026 11:59 PM', 'mdy', '2026-12-31T23:59:00.000Z'],
    ['12/31/2026', 'dmy', undefined],
    ['30.02.2026', 'dmy', undefined],
    ['29.02.2028', 'dmy', '2028-02-29T00:00:00.000Z'],
    ['0.1.2026', 'dmy', undefined],
    ['1.1.2026 24:00', 'dmy', undefined],
    ['1.1/2026', 'dmy', undefined],
    ['1.1.26', 'dmy', undefined],
    ['2026-01-01', 'dmy', undefined],
  ] as const)('%s as %s', (text, order, expected) => {
    expect(writtenDate(text, order)?.toISOString()).toBe(expected);
  });

  it('have an order where some date has only one', () => {
    expect(orderOf(['1/2/2026', '13/2/2026'])).toBe('dmy');
    expect(orderOf(['1/2/2026', '2/13/2026'])).toBe('mdy');
    expect(orderOf(['1/2/2026'])).toBeUndefined();
    expect(orderOf(['1.2.2026'])).toBe('dmy');
    expect(orderOf(['13/2/2026', '2/13/2026'])).toBeUndefined();
  });

  it('are read by csv as it is told, and written in ISO 8601; numbers have their comma both ways', async () => {
    const columns = { at: 'date', n: 'number' } as const;
    const codec = await openCodec(csv({ columns, delimiter: ';', decimal: ',', dates: 'dmy' }), localRegistry());
    const row = { at: new Date('2026-12-31T00:00:00Z'), n: 1234.5 };
    for (const text of ['31.12.2026;1.234,5', '31/12/2026;1234,5', '2026-12-31;+1234,50'])
      expect(codec.decode(Buffer.from(text))).toEqual(row);
    expect(Buffer.from(codec.encode(row)).toString()).toBe('2026-12-31T00:00:00.000Z;1234,5');
    for (const text of ['12/31/2026;1', '31.12.2026;1234.5', '31.12.2026;1.23,4', '31.12.2026;1,2,3'])
      expect(() => codec.decode(Buffer.from(text))).toThrow(/column (at|n): /);
  });

  it('a comma in a number is quoted where it also stands between cells', async () => {
    const codec = await openCodec(csv({ columns: { n: 'number', m: 'number' }, decimal: ',' }), localRegistry());
    const text = '"1,5",2';
    expect(codec.decode(Buffer.from(text))).toEqual({ n: 1.5, m: 2 });
    expect(Buffer.from(codec.encode({ n: 1.5, m: 2 })).toString()).toBe(text);
  });
});
