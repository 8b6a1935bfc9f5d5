import { betweenProblems, type DriftDetector, type DriftEvidence, detector } from './detector.js';
import type { HddmOptions } from './hddm-a.js';

/** How unlikely a change must be by chance, and how fast numbers are forgotten. */
export interface HddmWOptions extends HddmOptions {
  /** The weight of a new number in a mean; 0.05 by default. */
  readonly rate?: number;
}

/** A sample: how many numbers, their weighted mean, and the sum of the squares of their weights. */
const COUNT = 0;
const MEAN = 1;
const SQUARES = 2;
const SAMPLE = 3;

/** Samples: all numbers; before and after the cut for a rise; before and after the cut for a fall. */
const ALL = 0;
const BEFORE_RISE = SAMPLE;
const AFTER_RISE = 2 * SAMPLE;
const BEFORE_FALL = 3 * SAMPLE;
const AFTER_FALL = 4 * SAMPLE;

/**
 * HDDM_W: compares exponentially weighted means before and after the best place to cut, by McDiarmid's inequality. It takes numbers from
 * 0 to 1: errors, shares, probabilities.
 *
 * @example detectDrift({ of: (row) => row.predicted !== row.label, detector: hddmW() });
 *
 * New numbers weigh more, so it finds slow changes earlier than `hddmA`. A test alarms by chance with a probability below `driftAt`.
 * Memory: 15 numbers. Source: Frías-Blanco et al., "Online and non-parametric drift detection methods based on Hoeffding's bounds", TKDE 27
 * (2015).
 */
export function hddmW(options: HddmWOptions = {}): DriftDetector {
  const { warningAt = 0.005, driftAt = 0.001, direction = 'up', rate = 0.05 } = options;
  const squared = rate * rate;
  const kept = (1 - rate) ** 2;
  const log = { warning: Math.log(1 / warningAt) / 2, drift: Math.log(1 / driftAt) / 2 };
  const addTo = (state: Float64Array, sample: number, x: number): void => {
    const count = state[sample + COUNT] as number;
    const mean = state[sample + MEAN] as number;
    state[sample + COUNT] = count + 1;
    state[sample + MEAN] = count === 0 ? x : rate * x + (1 - rate) * mean;
    state[sample + SQUARES] = squared + kept * (count === 0 ? 1 : (state[sample + SQUARES] as number));
  };
  /** Cuts here if the bound of the mean has never been as low (or high); otherwise the number comes after the cut. */
  const cut = (state: Float64Array, at: number, before: number, after: number, sign: 1 | -1, x: number): void => {
    const bound = (sample: number) =>
      sign * (state[sample + MEAN] as number) + Math.sqrt((state[sample + SQUARES] as number) * log.drift);
    if (state[at + before] !== 0 && bound(at + ALL) >= bound(at + before)) {
      addTo(state, at + after, x);
      return;
    }
    state.copyWithin(at + before, at + ALL, at + ALL + SAMPLE);
    state.fill(0, at + after, at + after + SAMPLE);
  };
  const test = (state: Float64Array, from: number, to: number, sign: 1 | -1): DriftEvidence | undefined => {
    if (state[to + COUNT] === 0) return undefined;
    const before = state[from + MEAN] as number;
    const after = state[to + MEAN] as number;
    const squares = (state[from + SQUARES] as number) + (state[to + SQUARES] as number);
    const statistic = sign * (after - before);
    const drift = Math.sqrt(squares * log.drift);
    if (statistic > drift) return { level: 'drift', statistic, threshold: drift, before, after };
    const warning = Math.sqrt(squares * log.warning);
    return statistic > warning ? { level: 'warning', statistic, threshold: warning, before, after } : undefined;
  };
  return detector({
    kind: 'hddm-w',
    settings: { warningAt, driftAt, direction, rate },
    problems: betweenProblems({ warningAt, driftAt, rate }, 0, 1),
    values: 'shares',
    size: 5 * SAMPLE,
    add(state, at, x) {
      addTo(state, at + ALL, x);
      cut(state, at, BEFORE_RISE, AFTER_RISE, 1, x);
      cut(state, at, BEFORE_FALL, AFTER_FALL, -1, x);
      const risen = test(state, at + BEFORE_RISE, at + AFTER_RISE, 1);
      if (direction === 'up' || risen?.level === 'drift') return risen;
      return test(state, at + BEFORE_FALL, at + AFTER_FALL, -1) ?? risen;
    },
  });
}
