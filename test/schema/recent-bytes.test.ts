import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecentBytes } from '../../src/schema/bytes/recent-bytes.js';

it('gives what is there, however often it comes and whatever came between', () => {
  // Few bytes and lengths, so that many are equal; all entries are shared by some.
  const content = fc.oneof(fc.uint8Array({ max: 3, maxLength: 3 }), fc.uint8Array({ maxLength: 30 }));
  fc.assert(
    fc.property(fc.array(content, { minLength: 50, maxLength: 500 }), (contents) => {
      const recent = new RecentBytes();
      const all = Buffer.concat(contents);
      let from = 0;
      for (const each of contents) {
        expect(recent.at(all, from, from + each.length).equals(each)).toBe(true);
        from += each.length;
      }
    }),
  );
});

it('gives short bytes as one object from their second time on, which is no view of what they came with', () => {
  const recent = new RecentBytes();
  const [first, second, third] = [1, 2, 3].map(() => recent.at(Buffer.from('a JFK b'), 2, 5));
  expect(second).toBe(third);
  expect(first).not.toBe(second);
  const fetched = Buffer.from('JFK');
  const known = recent.at(fetched, 0, 3);
  fetched.fill(0);
  expect(known.toString()).toBe('JFK');
});

it('leaves long ones as views', () => {
  const recent = new RecentBytes();
  const bytes = Buffer.alloc(100, 'x');
  const views = [1, 2, 3].map(() => recent.at(bytes, 10, 35));
  expect(views.map(({ buffer, length }) => [buffer === bytes.buffer, length])).toEqual(views.map(() => [true, 25]));
});
