import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SequenceAssigner } from '../../src/connect/sequence-assigner.js';
import { originAt } from '../../src/testing/contract.js';

it('numbers values of the same record from 0, over several topics', () => {
  const numbering = new SequenceAssigner();
  const a = (offset: number) => numbering.next(originAt(offset));
  const b = (offset: number) => numbering.next({ ...originAt(offset), topic: 'other' });
  expect([a(4), a(4), b(1), a(4), b(1), a(5), b(2)]).toEqual([0, 1, 0, 2, 1, 0, 0]);
});

it('gives a value the same number however the replay is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))),
      fc.nat(),
      (steps, at) => {
        let offset = 0;
        const offsets = steps.flatMap(([gap, count]) => {
          offset += gap;
          return Array<number>(count).fill(offset);
        });
        const number = (list: readonly number[]) => {
          const numbering = new SequenceAssigner();
          return list.map((o) => `${o}:${numbering.next(originAt(o))}`);
        };
        const first = offsets[at % (offsets.length || 1)] ?? 0;
        const replayed = offsets.filter((o) => o >= first); // a replay begins at a whole record
        expect(number(replayed)).toEqual(number(offsets).slice(offsets.length - replayed.length));
      },
    ),
  );
});

it('refuses an order that would give two values one identity', () => {
  const numbering = new SequenceAssigner();
  numbering.next(originAt(7));
  expect(() => numbering.next(originAt(6))).toThrow(/reached a sink after 7/);
});
