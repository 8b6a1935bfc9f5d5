import { describe, expect, it } from 'vitest';
import { EARLIEST, type RawRecord, type Source, type SourceDriver } from '../../src/core/index.js';
import { sliced } from '../../src/verify/sliced.js';

const opened: { offset: number; bounded: boolean }[] = [];

/** A log of records 0 to 99, some offsets without one, as marks of transactions leave them. */
const driver = (gaps: readonly number[] = []): SourceDriver => ({
  partitions: async () => 2,
  async open(_source, { offset, bounded }) {
    opened.push({ offset, bounded });
    let next = Math.max(0, offset);
    return {
      async poll(recordsMax) {
        const records: RawRecord[] = [];
        for (; records.length < recordsMax && next < 100; next++) {
          if (!gaps.includes(next)) records.push({ offset: next, timestampMs: 0, key: null, value: null });
        }
        return { records, ended: next >= 100 };
      },
      close: async () => undefined,
    };
  },
});

async function readAll(from: number, to: number, start: number, gaps: readonly number[] = [], topic = 'in') {
  const source = { topic } as Source<unknown>;
  const task = { topology: 't', partition: 1 };
  const slices = { in: { from: [0, from], to: [0, to] } };
  const reader = await sliced(driver(gaps), slices).open(source, {
    task,
    partition: task.partition,
    offset: start,
    bounded: false,
    step: 'events',
  });
  const offsets: number[] = [];
  for (let polls = 0; polls < 1_000; polls++) {
    const { records, ended } = await reader.poll(7);
    offsets.push(...records.map(({ offset }) => offset));
    if (ended) return offsets;
  }
  throw new Error('it does not end');
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('sliced', () => {
  it('reads from the slice to its end, although the log goes on', async () => {
    expect(await readAll(10, 40, EARLIEST)).toEqual(range(10, 40));
    expect(opened.at(-1)).toEqual({ offset: 10, bounded: true });
  });

  it('goes on from a checkpoint, and ends where nothing is left', async () => {
    expect(await readAll(10, 40, 33)).toEqual(range(33, 40));
    expect(await readAll(10, 40, 40)).toEqual([]);
    expect(await readAll(5, 5, EARLIEST)).toEqual([]);
  });

  it('ends where the last offsets hold no records, and at the end of the log', async () => {
    expect(await readAll(0, 40, EARLIEST, range(35, 45))).toEqual(range(0, 35));
    expect(await readAll(90, 100, EARLIEST, [99])).toEqual(range(90, 99));
  });

  it('leaves topics alone of which it knows nothing', async () => {
    expect(await readAll(10, 40, EARLIEST, [], 'internal')).toEqual(range(0, 100));
  });
});
