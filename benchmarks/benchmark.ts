import type { Spread } from './pairs.js';

/** What a file `NAME.bench.ts` exports as `benchmark`: answers one question and says so in numbers. */
export type Benchmark = (progress: (line: string) => void) => Promise<BenchmarkResult>;

export interface BenchmarkResult {
  /** What `figures` count: `records/s`, `us of CPU a record`. */
  readonly unit: string;
  readonly figures: Readonly<Record<string, Spread>>;
  /** Of figures measured next to each other: what a change of the machine's mood leaves alone. */
  readonly ratios: Readonly<Record<string, Spread>>;
}
