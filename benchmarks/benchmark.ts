import type { Spread } from './pairs.js';

/** Numbers and words that a benchmark takes from the command line, with what they are where nobody says. */
export type Options = Readonly<Record<string, number | string>>;

/**
 * What a file `NAME.bench.ts` exports as `benchmark`: answers one question and says so in numbers. Exported beside it
 * as `options`, `{ records: 5_000_000 }` lets `npm run bench -- NAME --records 100000` run a smaller one.
 */
export type Benchmark<O extends Options = Options> = (
  progress: (line: string) => void,
  options: O,
) => Promise<BenchmarkResult>;

/** A figure that should be within bounds. */
export interface Goal {
  readonly is: Spread;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface BenchmarkResult {
  /** What `figures` count: `records/s`, `us of CPU a record`. */
  readonly unit: string;
  readonly figures: Readonly<Record<string, Spread>>;
  /** Of figures measured next to each other: what a change of the machine's mood leaves alone. */
  readonly ratios: Readonly<Record<string, Spread>>;
  /** What the project promises, with the figures that tell whether it keeps it: the medians. */
  readonly goals?: Readonly<Record<string, Goal>>;
  /** What else should be kept beside them: a course over time, a verdict. */
  readonly details?: Readonly<Record<string, unknown>>;
}
