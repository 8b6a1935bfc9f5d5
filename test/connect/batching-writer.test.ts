import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchingOptions, BatchingWriter } from '../../src/connect/batching-writer.js';

const BATCH = 10;
const UNSENT = 5 * BATCH;

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

function open(
  options: Partial<BatchingOptions<number>> = {},
  fails: (batch: readonly number[]) => boolean = () => false,
) {
  const events: string[] = [];
  const sent: (readonly number[])[] = [];
  let underWay = 0;
  const out = new BatchingWriter<number>({
    batchMax: BATCH,
    unsentMax: UNSENT,
    batch: (batch) => {
      events.push('ready');
      return async () => {
        events.push('sent');
        underWay += 1;
        expect(underWay).toBe(1);
        await sleep(1);
        underWay -= 1;
        if (fails(batch)) throw new Error('refused');
        sent.push(batch);
        events.push('done');
      };
    },
    ...options,
  });
  return { out, events, sent };
}

describe('BatchingWriter', () => {
  it('makes the next full batch ready while one is under way, and sends it after that one', async () => {
    const { out, events, sent } = open();
    out.put(range(0, 2 * BATCH));
    await out.drain();
    expect(events).toEqual(['ready', 'sent', 'ready', 'done', 'sent', 'done']);
    expect(sent).toEqual([range(0, BATCH), range(BATCH, 2 * BATCH)]);
  });

  it('lets what is no full batch wait while one is under way', async () => {
    const { out, sent } = open();
    for (const n of range(0, 3)) out.put([n]);
    await sleep(0);
    for (const n of range(3, 6)) out.put([n]);
    await out.drain();
    expect(sent).toEqual([range(0, 3), range(3, 6)]);
  });

  it('is no more eager after a drain of nothing', async () => {
    const { out, sent } = open({ eager: false });
    await out.drain();
    out.put([1]);
    await sleep(20);
    expect(sent).toEqual([]);
    await out.drain();
    await out.drain();
    out.put([2]);
    await sleep(20);
    expect(sent).toEqual([[1]]);
    await out.close();
  });

  it('sends full batches alone until it is drained, where it is not eager', async () => {
    const { out, sent } = open({ eager: false });
    out.put(range(0, BATCH + 3));
    await sleep(20);
    expect(sent).toEqual([range(0, BATCH)]);
    await out.drain();
    out.put([BATCH + 3]);
    await sleep(20);
    expect(sent).toEqual([range(0, BATCH), range(BATCH, BATCH + 3)]);
  });

  it('sends nothing after a batch that failed, and throws its error from then on', async () => {
    const { out, events, sent } = open({}, (batch) => batch[0] === BATCH);
    out.put(range(0, 4 * BATCH));
    await expect(out.drain()).rejects.toThrow('refused');
    await expect(out.drain()).rejects.toThrow('refused');
    expect(() => out.put([0])).toThrow('refused');
    expect(() => out.pressure()).toThrow('refused');
    await out.close();
    expect(sent).toEqual([range(0, BATCH)]);
    expect(events.filter((event) => event === 'sent')).toHaveLength(2);
  });

  it('fails likewise where a batch cannot be made ready', async () => {
    const { out, sent } = open({
      batch: ([first]) => {
        if (first === BATCH) throw new Error('no such form');
        return async () => void sent.push([first as number]);
      },
    });
    out.put(range(0, 3 * BATCH));
    await expect(out.drain()).rejects.toThrow('no such form');
    expect(() => out.put([0])).toThrow('no such form');
    expect(sent).toEqual([[0]]);
  });

  it('drops what waits when it is closed, what is ready too', async () => {
    const { out, sent } = open();
    out.put(range(0, 3 * BATCH));
    await sleep(0);
    await out.close();
    expect(sent).toEqual([range(0, BATCH)]);
    await sleep(10);
    expect(sent).toHaveLength(1);
  });

  it('asks to wait where too much is unsent, and not otherwise', async () => {
    const { out, sent } = open({ eager: false });
    expect(out.put(range(0, UNSENT))).toBeUndefined();
    const pressure = out.put([UNSENT]);
    expect(pressure).toBeInstanceOf(Promise);
    expect(out.pressure()).toBe(pressure);
    await pressure;
    expect(sent.flat().length).toBeGreaterThanOrEqual(UNSENT);
    expect(out.pressure()).toBeUndefined();
    await out.drain();
    expect(out.put([])).toBeUndefined();
  });

  it('keeps the order and its bounds, whatever is put and when', async () => {
    const puts = fc.array(
      fc.record({ items: fc.array(fc.integer({ min: 1, max: 2 * BATCH }), { maxLength: 30 }), wait: fc.boolean() }),
      { maxLength: 12 },
    );
    const parity = (first: number, next: number) => first % 2 === next % 2;
    await fc.assert(
      fc.asyncProperty(puts, fc.boolean(), fc.boolean(), async (steps, eager, together) => {
        const { out, sent } = open({ eager, sizeOf: (n) => n, ...(together ? { together: parity } : {}) });
        for (const { items, wait } of steps) {
          const pressure = out.put(items);
          if (wait) await pressure;
        }
        await out.drain();
        expect(sent.flat()).toEqual(steps.flatMap(({ items }) => items));
        for (const batch of sent) {
          const size = batch.reduce((sum, n) => sum + n, 0);
          expect(batch.length).toBeGreaterThan(0);
          expect(size <= BATCH || batch.length === 1).toBe(true);
          if (together) expect(batch.every((n) => parity(batch[0] as number, n))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('sends what is before the batch that fails, and that alone', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 25 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(100), async (lengths, bad) => {
        const { out, sent } = open({}, (batch) => batch.includes(bad));
        const total = lengths.reduce((sum, length) => sum + length, 0);
        let next = 0;
        const work = async () => {
          for (const length of lengths) {
            await out.put(range(next, next + length));
            next += length;
          }
          await out.drain();
        };
        if (bad < total) {
          await expect(work()).rejects.toThrow('refused');
          const all = sent.flat();
          expect(all).toEqual(range(0, all.length));
          expect(all.length).toBeLessThanOrEqual(bad);
          expect(all.length).toBeGreaterThan(bad - BATCH);
        } else {
          await work();
          expect(sent.flat()).toEqual(range(0, total));
        }
      }),
      { numRuns: 60 },
    );
  });
});
