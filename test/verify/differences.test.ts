import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareEntries, Differences, type Entry, kinds } from '../../src/verify/differences.js';
import { EntryStreams } from '../../src/verify/entry-streams.js';

/** `a1` is the entry of record a with contents 1. */
const entries = (text: string): Entry[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((word, place) => ({ id: word[0] as string, digest: word.slice(1), at: String(place) }));

function compare(reference: string, faulted: string, ordered = true): Record<string, number> {
  const found = new Differences();
  compareEntries(entries(reference), entries(faulted), ordered, found);
  return Object.fromEntries(Object.entries(found.counts).filter(([, count]) => count > 0));
}

describe('compareEntries', () => {
  it.each([
    ['a1 b1 c1', 'a1 b1 c1', {}],
    ['', '', {}],
    ['a1 b1 c1', 'a1 c1', { lost: 1 }],
    ['a1 b1', 'a1 b1 b1', { duplicated: 1 }],
    ['a1 b1', 'a1 a1 b1 b1', { duplicated: 2 }],
    ['a1 b1', 'a1 b2', { different: 1 }],
    ['a1 b1', 'a1 b1 z1', { unexpected: 1 }],
    ['a1 b1 c1', 'b1 a1 c1', { outOfOrder: 1 }],
    ['a1 b1 c1 d1', 'd1 a1 b1 c1', { outOfOrder: 3 }],
    ['a1 a2 b1', 'a1 a2 b1', {}],
    ['a1 a2 b1', 'a2 a1 b1', { different: 2 }],
    ['a1 a2', 'a1', { lost: 1 }],
    ['a1 b1', '', { lost: 2 }],
    ['a1 b1 c1', 'c1 b2 b2 y1', { lost: 1, duplicated: 1, different: 1, unexpected: 1, outOfOrder: 1 }],
  ])('%s against %s', (reference, faulted, expected) => {
    expect(compare(reference, faulted)).toEqual(expected);
  });

  it('leaves the order alone where it means nothing', () => {
    expect(compare('a1 b1 c1', 'c1 a1 b1', false)).toEqual({});
    expect(compare('a1 b1 c1', 'c1 a1', false)).toEqual({ lost: 1 });
  });

  it('keeps some cases of each kind, with where they lie', () => {
    const found = new Differences();
    compareEntries(entries('a1 b1 c1 d1 e1'), entries('x1'), true, found);
    expect(found.counts).toMatchObject({ lost: 5, unexpected: 1 });
    expect(found.samples).toEqual([
      { kind: 'lost', id: 'a', reference: '0' },
      { kind: 'lost', id: 'b', reference: '1' },
      { kind: 'lost', id: 'c', reference: '2' },
      { kind: 'unexpected', id: 'x', reference: undefined, faulted: '0' },
    ]);
    expect(found.total).toBe(6);
  });
});

const someEntries = fc.array(
  fc.record({
    sequence: fc.constantFrom('0', '1', '2'),
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    digest: fc.constantFrom('1', '2'),
  }),
  { maxLength: 30 },
);

describe('EntryStreams', () => {
  it('finds what a comparison of whole lists finds, however the two logs are interleaved', () => {
    fc.assert(
      fc.property(
        someEntries,
        someEntries,
        fc.boolean(),
        fc.infiniteStream(fc.boolean()),
        (reference, other, ordered, turns) => {
          // Mostly alike: that is where entries are settled early.
          const faulted = [...reference.slice(0, Math.ceil(reference.length / 2)), ...other];
          const whole = new Differences();
          for (const task of ['0', '1', '2']) {
            const of = (all: typeof reference) =>
              all.filter((each) => each.sequence === task).map((each) => ({ ...each, at: '' }));
            compareEntries(of(reference), of(faulted), ordered, whole);
          }
          const found = new Differences();
          const streams = new EntryStreams(ordered, found);
          for (let a = 0, b = 0; a < reference.length || b < faulted.length; ) {
            const first = b >= faulted.length || (a < reference.length && turns.next().value);
            const entry = first ? reference[a++] : faulted[b++];
            if (entry) streams.add(first ? 'reference' : 'faulted', { ...entry, at: '' });
          }
          streams.end();
          expect(found.compared).toBe(reference.length);
          // A prefix that was settled may belong to a record that comes again: what is counted is the same in sum.
          expect(found.total === 0).toBe(whole.total === 0);
          for (const kind of kinds) if (!ordered) expect(found.counts[kind]).toBe(whole.counts[kind]);
        },
      ),
    );
  });

  it('knows a record that comes again long after it was settled from one that never was there', () => {
    const found = new Differences();
    const streams = new EntryStreams(true, found);
    const add = (run: 'reference' | 'faulted', offset: number) =>
      streams.add(run, { sequence: '0', id: `in/0/${offset}`, digest: 'x', at: String(offset) });
    for (const offset of [0, 1, 2, 3]) add('reference', offset);
    for (const offset of [0, 1, 2, 0, 1, 2, 3, 9]) add('faulted', offset);
    streams.end();
    expect(found.counts).toEqual({ lost: 0, duplicated: 3, different: 0, unexpected: 1, outOfOrder: 0 });
  });

  it('keeps nothing of what both say, however long', () => {
    const found = new Differences();
    const streams = new EntryStreams(true, found);
    for (let n = 0; n < 100_000; n++) {
      const entry = { sequence: '0', id: `in/0/${n}`, digest: 'x', at: '' };
      streams.add('reference', entry);
      streams.add('faulted', entry);
    }
    const [open] = [...(streams as unknown as { sequences: Map<string, { reference: unknown[] }> }).sequences.values()];
    expect(open?.reference.length).toBeLessThan(5_000);
    streams.end();
    expect(found).toMatchObject({ compared: 100_000, total: 0 });
  });
});
