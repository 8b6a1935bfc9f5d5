import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldAdder, objectOf, withField } from '../../src/util/literals.js';

const names = fc.oneof(fc.string(), fc.constantFrom('a', 'b', '0', '1', 'constructor', 'a"b', "'", '\\', '\u2028'));
const values = fc.array(
  fc
    .dictionary(
      names.filter((name) => name !== '__proto__'),
      fc.jsonValue(),
      { maxKeys: 5 },
    )
    .map((value) => ({ ...value })),
  { minLength: 1, maxLength: 6 },
);

describe('fieldAdder', () => {
  it('copies as withField does, whatever values come after the first', () => {
    fc.assert(
      fc.property(names, values, (name, values) => {
        fc.pre(name !== '__proto__');
        const add = fieldAdder(name);
        for (const value of [...values, ...values]) {
          const before = JSON.stringify(value);
          const [copy, expected] = [add(value, 7), withField(value, name, 7)];
          expect(copy).toStrictEqual(expected);
          expect(Object.keys(copy)).toEqual(Object.keys(expected));
          expect(JSON.stringify(value)).toBe(before);
        }
      }),
    );
  });

  it('takes own fields only, of instances too, and no name as code', () => {
    class Row {
      constructor(readonly id: number) {}
    }
    Object.assign(Row.prototype, { inherited: 1 });
    expect(fieldAdder('late')(new Row(3), true)).toStrictEqual({ id: 3, late: true });
    expect(fieldAdder('x: broken(), y')({ 'z"]: broken(': 1 }, 2)).toEqual({ 'z"]: broken(': 1, 'x: broken(), y': 2 });
  });
});

it('objectOf names values from a place on', () => {
  const named = objectOf(['b', '0', '__proto__']);
  const object = named(['skipped', 1, 2, 3], 1);
  expect(Object.entries(object)).toEqual([
    ['0', 2],
    ['b', 1],
    ['__proto__', 3],
  ]);
  expect(objectOf([])([], 0)).toEqual({});
});
