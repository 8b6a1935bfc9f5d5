import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noRecord, type Origin } from '../../../src/core/index.js';
import { SampledLatency } from '../../../src/runtime/measures/sampled-latency.js';
import { DurationHistogram } from '../../../src/util/duration-histogram.js';

const NOW_MS = 1_000_000;
/** A chunk whose records were received so long ago. */
const chunk = (agesMs: readonly number[]): Origin[] =>
  agesMs.map((ms) => ({ ...noRecord('log'), receivedAtMs: NOW_MS - ms }));
/** The value below which this share of all lies. */
const exact = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] as number;

describe('SampledLatency', () => {
  it('counts every record, and times each of a small chunk', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(60_000), { maxLength: 16 }), { maxLength: 20 }), (chunks) => {
        const [sampled, all] = [new SampledLatency(), new DurationHistogram()];
        for (const ages of chunks) {
          sampled.record(chunk(ages), NOW_MS);
          for (const age of ages) all.record(age);
        }
        expect(sampled.histogram.counts).toEqual(all.counts);
        expect(sampled.histogram.total).toBe(all.total);
      }),
    );
  });

  it('is right within the error of the bins for large chunks, also if slow records come at a fixed distance', () => {
    const parts = [new SampledLatency(), new SampledLatency()];
    const all: number[] = [];
    for (let n = 0; n < 400; n++) {
      // Every 63rd record, which is the length of a piece of 1,000, is from a slow input.
      const ages = Array.from({ length: 1_000 }, (_, i) => (i % 63 === 0 ? 5_000 + n : 20 + ((i * 7 + n) % 90)));
      parts[n % 2]?.record(chunk(ages), NOW_MS);
      all.push(...ages);
    }
    all.sort((a, b) => a - b);
    const merged = new DurationHistogram();
    for (const { histogram } of parts) merged.add(histogram);
    expect(merged.total).toBe(400_000);
    for (const q of [0.5, 0.9, 0.98, 0.99]) {
      expect(merged.quantileMs(q)).toBeGreaterThanOrEqual(exact(all, q - 0.003));
      expect(merged.quantileMs(q)).toBeLessThanOrEqual(1.19 * exact(all, q + 0.003));
    }
  });

  it('takes a clock that went back for no time at all', () => {
    const sampled = new SampledLatency();
    sampled.record(chunk([-5_000]), NOW_MS);
    sampled.record([], NOW_MS);
    expect([sampled.histogram.total, sampled.histogram.sumMs]).toEqual([1, 0]);
  });
});
