import { chance } from '../chance.js';
import { betweenProblems, type DriftDetector, detector } from './detector.js';

/** What is compared, and how unlikely a difference must be by chance. */
export interface KswinOptions {
  /** The probability of chance below which there is a drift; 0.005 by default. */
  readonly driftAt?: number;
  /** Numbers that are kept; 100 by default, 10,000 at most. */
  readonly window?: number;
  /** The newest of them, and how many older ones they are compared with; 30 by default. */
  readonly recent?: number;
  /** Of the choice of older ones; 0 by default. */
  readonly seed?: number;
}

/** Numbers added so far, how many are kept, where the next one goes; then the kept ones, in a ring. */
const COUNT = 0;
const KEPT = 1;
const NEXT = 2;
const RING = 3;

/** A smaller difference of two samples is no drift, however unlikely. */
const DIFFERENCE_MIN = 0.1;

/**
 * KSWIN: compares the newest numbers with as many older ones, drawn from its window, by the test of Kolmogorov and Smirnov. So it finds any
 * change of the distribution, not only one of the mean.
 *
 * @example detectDrift({ of: (payment) => payment.amount, detector: kswin({ driftAt: 0.0001, window: 300, recent: 60 }) });
 *
 * A test alarms by chance with a probability of `driftAt` at most, and there is one at each number. After a drift the newest numbers are
 * kept. Older numbers are drawn by `chance`, so a replay draws the same. It sorts `recent` numbers each time. Memory: `window` + 3 numbers.
 * Source: Raab, Heusinger and Schleif, "Reactive soft prototype computing for concept drift streams", Neurocomputing 416 (2020).
 */
export function kswin(options: KswinOptions = {}): DriftDetector {
  const { driftAt = 0.005, window = 100, recent = 30, seed = 0 } = options;
  const problems = betweenProblems({ driftAt }, 0, 1);
  if (
    !(Number.isInteger(window) && Number.isInteger(recent) && recent >= 2 && recent <= window / 2 && window <= 10_000)
  )
    problems.push({
      message: `recent is ${recent}, and window is ${window}`,
      hint: 'give whole numbers: `recent` from 2 to half of `window`, which is 10,000 at most',
    });
  const rightMax = problems.length > 0 ? [] : tailOf(recent);
  const older = new Float64Array(Math.max(0, window - recent));
  const drawn = new Float64Array(recent);
  const newest = new Float64Array(recent);
  return detector({
    kind: 'kswin',
    settings: { driftAt, window, recent, seed },
    problems,
    values: 'numbers',
    size: RING + window,
    add(state, at, x) {
      const count = (state[at + COUNT] as number) + 1;
      const next = state[at + NEXT] as number;
      const kept = Math.min(window, (state[at + KEPT] as number) + 1);
      const ring = at + RING;
      state[at + COUNT] = count;
      state[at + KEPT] = kept;
      state[at + NEXT] = (next + 1) % window;
      state[ring + next] = x;
      if (kept < window) return undefined;
      // The ring is full: the oldest number is where the next one goes.
      for (let i = 0; i < older.length; i++) older[i] = state[ring + ((next + 1 + i) % window)] as number;
      for (let i = 0; i < recent; i++) newest[i] = state[ring + ((next + 1 + older.length + i) % window)] as number;
      for (let i = 0; i < recent; i++) {
        const pick = i + Math.floor(chance(seed, i, count) * (older.length - i));
        drawn[i] = older[pick] as number;
        older[pick] = older[i] as number;
      }
      const steps = greatestGap(drawn.sort(), newest.slice().sort());
      const statistic = rightMax[steps] as number;
      if (!(statistic <= driftAt && steps / recent > DIFFERENCE_MIN)) return undefined;
      return { level: 'drift', statistic, threshold: driftAt, before: meanOf(drawn), after: meanOf(newest) };
    },
    keep(state, at) {
      state.fill(0, at + KEPT, at + RING + window);
      state[at + KEPT] = recent;
      state[at + NEXT] = recent;
      state.set(newest, at + RING);
    },
  });
}

const meanOf = (numbers: Float64Array): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

/** The greatest difference of two sorted samples of the same size, in numbers of one of them. */
function greatestGap(a: Float64Array, b: Float64Array): number {
  let inA = 0;
  let inB = 0;
  let most = 0;
  while (inA < a.length && inB < b.length) {
    const x = Math.min(a[inA] as number, b[inB] as number);
    while (inA < a.length && a[inA] === x) inA++;
    while (inB < b.length && b[inB] === x) inB++;
    most = Math.max(most, Math.abs(inA - inB));
  }
  return most;
}

/**
 * The probability that two samples of n numbers of one distribution differ by so many numbers or more, exactly (Gnedenko and Korolyuk,
 * 1951): of paths with n steps up and n down, those that reach that height, by reflection.
 */
function tailOf(n: number): number[] {
  const tail = [1];
  for (let height = 1; height <= n; height++) {
    let sum = 0;
    let sign = 1;
    for (let reach = height; reach <= n; reach += height) {
      // The share of paths that end 2 * reach away: n! n! / ((n - reach)! (n + reach)!)
      let share = 1;
      for (let i = 0; i < reach; i++) share *= (n - i) / (n + i + 1);
      sum += sign * share;
      sign = -sign;
    }
    tail.push(Math.min(1, 2 * sum));
  }
  return tail;
}
