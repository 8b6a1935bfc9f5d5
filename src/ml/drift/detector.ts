import type { Problem, Settings } from '../../core/index.js';

/** What a detector saw: what it had compared with which limit, and the mean before and after where it knows them. */
export interface DriftEvidence {
  /** A warning may pass; after a drift the detector begins anew. */
  readonly level: 'warning' | 'drift';
  readonly statistic: number;
  readonly threshold: number;
  readonly before: number | null;
  readonly after: number | null;
}

/** Finds changes in a sequence of numbers: inert data. Its state is numbers in an array that many sequences may share. */
export interface DriftDetector {
  readonly kind: string;
  readonly settings: Settings;
  readonly problems: readonly Problem[];
  /** Whether it takes any number, or those from 0 to 1 only: errors (1) and hits (0), shares, probabilities. */
  readonly values: 'numbers' | 'shares';
  /** Numbers of the state of one sequence, all 0 at the beginning. */
  readonly size: number;
  /** Adds the next number of the sequence whose state is at `at`; says what it saw, if anything. */
  add(state: Float64Array, at: number, x: number): DriftEvidence | undefined;
}

/** Defines a detector. After a drift its state is cleared, except for what `keep` writes back. */
export function detector(
  definition: DriftDetector & { readonly keep?: (state: Float64Array, at: number) => void },
): DriftDetector {
  const { keep, add, ...rest } = definition;
  const { size } = rest;
  return Object.freeze({
    ...rest,
    add(state: Float64Array, at: number, x: number) {
      const seen = add(state, at, x);
      if (seen?.level !== 'drift') return seen;
      if (keep) keep(state, at);
      else state.fill(0, at, at + size);
      return seen;
    },
  });
}

/** The problems of options that must lie between two numbers (both excluded). */
export function betweenProblems(options: Readonly<Record<string, number>>, low: number, high: number): Problem[] {
  return Object.entries(options)
    .filter(([, value]) => !(value > low && value < high))
    .map(([name, value]) => ({
      message: `${name} is ${value}`,
      hint:
        high === Number.POSITIVE_INFINITY ? `give a number above ${low}` : `give a number between ${low} and ${high}`,
    }));
}

/** The problems of options that must be finite numbers from 0 on. */
export const notNegativeProblems = (options: Readonly<Record<string, number>>): Problem[] =>
  Object.entries(options)
    .filter(([, value]) => !(value >= 0 && value < Number.POSITIVE_INFINITY))
    .map(([name, value]) => ({ message: `${name} is ${value}`, hint: 'give 0 or a finite number above 0' }));

/** The mean of `n` numbers after the `n`-th one. */
export const meanWith = (mean: number, x: number, n: number): number => mean + (x - mean) / n;
