import { readFileSync } from 'node:fs';
import type { Weighted } from '../../../src/ml/distributions/index.js';

interface Peers {
  readonly numbers: readonly {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly kolmogorovSmirnov: number;
    readonly wasserstein: number;
  }[];
  readonly counts: readonly {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly psi: number;
    readonly jensenShannon: number;
    readonly chiSquared: readonly [statistic: number, freedom: number, probability: number];
  }[];
  readonly isotonic: readonly {
    readonly heights: readonly number[];
    readonly weights: readonly number[];
    readonly fitted: readonly number[];
  }[];
  readonly platt: readonly {
    readonly said: readonly number[];
    readonly labels: readonly number[];
    readonly slope: number;
    readonly intercept: number;
  }[];
}

/** The golden file that `benchmarks/peers/distributions.py` writes. */
export const peers = JSON.parse(readFileSync(new URL('peers.json', import.meta.url), 'utf8')) as Peers;

/** Numbers as they are compared: each once, with how often it occurs. */
export function weighted(numbers: readonly number[]): Weighted {
  const values = [...new Set(numbers)].sort((a, b) => a - b);
  return { values, weights: values.map((value) => numbers.filter((each) => each === value).length) };
}

/** Samples of published examples. */
export const A = [38.7, 41.5, 43.8, 44.5, 45.5, 46, 47.7, 58];
export const B = [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8];
