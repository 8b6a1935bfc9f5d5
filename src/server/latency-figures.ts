import { binOf, DurationHistogram, type RunSnapshot } from '../runtime/index.js';

/** Of a latency, in milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** The bins of a histogram with their counts. Those of several processes can be put together; percentiles cannot. */
export type Bins = readonly (readonly [bin: number, count: number])[];

/** Pictures come once a second. */
const WINDOW_PICTURES = 10;

/**
 * The latencies of the last ten pictures, by step and sink: differences of cumulative bins. The first ones are those since the start.
 *
 * Memory: ten histograms for each step and sink.
 */
export class RecentLatencies {
  private readonly window: RunSnapshot['latencies'][] = [];

  next(latencies: RunSnapshot['latencies']): RunSnapshot['latencies'] {
    const [oldest] = this.window;
    this.window.push(latencies);
    if (this.window.length > WINDOW_PICTURES) this.window.shift();
    return new Map(
      [...latencies].map(([node, now]) => {
        const before = oldest?.get(node);
        return [node, before ? now.since(before) : now];
      }),
    );
  }
}

/** `null` without a record. */
export const percentilesOf = (latency: DurationHistogram | undefined): Percentiles | null =>
  latency && latency.total > 0 ? { p50: latency.quantileMs(0.5), p99: latency.quantileMs(0.99) } : null;

export const binsOf = (latency: DurationHistogram | undefined): Bins =>
  [...(latency?.counts ?? [])].flatMap((count, bin) => (count > 0 ? [[bin, count] as const] : []));

export function histogramOf(bins: Bins): DurationHistogram {
  const histogram = new DurationHistogram();
  for (const [bin, count] of bins) {
    histogram.counts[bin] = (histogram.counts[bin] ?? 0) + count;
    histogram.total += count;
  }
  return histogram;
}

/** Powers of two, which are bounds of bins too: from 1 ms to 67 s. */
const BOUNDS_MICROS = Array.from({ length: 17 }, (_, i) => 2 ** (10 + i));

/** The cumulative buckets of a histogram of Prometheus, by their upper bounds in seconds. */
export function bucketsOf({ counts, total }: DurationHistogram): readonly (readonly [le: string, records: number])[] {
  const upTo = (micros: number) => counts.subarray(0, binOf(micros) + 1).reduce((sum, count) => sum + count, 0);
  return [...BOUNDS_MICROS.map((micros) => [String(micros / 1e6), upTo(micros)] as const), ['+Inf', total] as const];
}
