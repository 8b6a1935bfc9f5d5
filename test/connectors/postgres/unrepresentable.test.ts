import { describe, expect, it } from 'vitest';
import { columnCheck, rowCheck } from '../../../connectors/postgres/unrepresentable.js';
import { fitting, unfitting } from './hostile-cells.js';

describe('what a column of Postgres has no room for', () => {
  it.each(unfitting)('%s: %o', (type, value) => {
    expect(columnCheck(type)(value)).toBeTypeOf('string');
  });

  it.each(fitting)('but room for %s: %o', (type, value) => {
    expect(columnCheck(type)(value)).toBeUndefined();
  });

  it('names the column, and asks for the key', () => {
    const check = rowCheck({ table: 't', columns: { id: 'bigint', note: 'text' }, key: ['id'] });
    expect(check({ id: 1, note: 'a\0b' })).toBe('column note (text) has no room for the character NUL');
    expect(check({ note: 'a' })).toBe('column id is in the key, and is null');
    expect(check({ id: 1, note: null })).toBeUndefined();
    expect(check(null)).toBe('column id is in the key, and is null');
  });
});
