import { betweenProblems, type DriftDetector, type DriftEvidence, detector, meanWith } from './detector.js';

/** How unlikely a change must be by chance. */
export interface HddmOptions {
  /** The probability of chance below which there is a warning; 0.005 by default. */
  readonly warningAt?: number;
  /** The probability below which there is a drift; 0.001 by default. */
  readonly driftAt?: number;
  /** Which change is found; only a rise by default, of an error. */
  readonly direction?: 'up' | 'both';
}

/** Counts and means: of all numbers, of those up to the cut for a rise, and up to the cut for a fall. */
const ALL = 0;
const LOW = 2;
const HIGH = 4;

/**
 * HDDM_A: compares the mean of all numbers with that of the first ones, up to the best place to cut, by Hoeffding's inequality. It takes
 * numbers from 0 to 1: errors, shares, probabilities.
 *
 * @example detectDrift({ of: (row) => row.predicted !== row.label, detector: hddmA({ driftAt: 0.0001 }) });
 *
 * It assumes nothing of the distribution, and finds sudden changes; `hddmW` finds slow ones earlier. A test alarms by chance with a
 * probability below `driftAt`. Memory: six numbers.
 * Source: Frías-Blanco et al., "Online and non-parametric drift detection methods based on Hoeffding's bounds", TKDE 27 (2015).
 */
export function hddmA(options: HddmOptions = {}): DriftDetector {
  const { warningAt = 0.005, driftAt = 0.001, direction = 'up' } = options;
  const halfLog = Math.log(1 / driftAt) / 2;
  const logs = { warning: Math.log(2 / warningAt) / 2, drift: Math.log(2 / driftAt) / 2 };
  const cutAt = (state: Float64Array, at: number, place: number, sign: 1 | -1) => {
    const count = state[at + place] as number;
    const all = state[at + ALL] as number;
    const bound = (mean: number, n: number) => mean + sign * Math.sqrt(halfLog / n);
    const now = bound(state[at + ALL + 1] as number, all);
    if (count > 0 && sign * bound(state[at + place + 1] as number, count) < sign * now) return;
    state[at + place] = all;
    state[at + place + 1] = state[at + ALL + 1] as number;
  };
  const test = (state: Float64Array, at: number, place: number, sign: 1 | -1): DriftEvidence | undefined => {
    const count = state[at + place] as number;
    const all = state[at + ALL] as number;
    if (count === all) return undefined;
    const before = state[at + place + 1] as number;
    const mean = state[at + ALL + 1] as number;
    const statistic = sign * (mean - before);
    const after = before + ((mean - before) * all) / (all - count);
    const share = (all - count) / count / all;
    const drift = Math.sqrt(share * logs.drift);
    if (statistic >= drift) return { level: 'drift', statistic, threshold: drift, before, after };
    const warning = Math.sqrt(share * logs.warning);
    return statistic >= warning ? { level: 'warning', statistic, threshold: warning, before, after } : undefined;
  };
  return detector({
    kind: 'hddm-a',
    settings: { warningAt, driftAt, direction },
    problems: betweenProblems({ warningAt, driftAt }, 0, 1),
    values: 'shares',
    size: 6,
    add(state, at, x) {
      const all = (state[at + ALL] as number) + 1;
      state[at + ALL] = all;
      state[at + ALL + 1] = meanWith(state[at + ALL + 1] as number, x, all);
      cutAt(state, at, LOW, 1);
      cutAt(state, at, HIGH, -1);
      const risen = test(state, at, LOW, 1);
      if (direction === 'up' || risen?.level === 'drift') return risen;
      return test(state, at, HIGH, -1) ?? risen;
    },
  });
}
