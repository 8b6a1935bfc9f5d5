import { betweenProblems, type DriftDetector, detector, meanWith, notNegativeProblems } from './detector.js';

/** When a sum of deviations counts as a drift. */
export interface PageHinkleyOptions {
  /** The sum of deviations that is a drift, in the unit of the numbers; 50 by default. */
  readonly threshold?: number;
  /** Deviations from the mean up to it do not count; 0.005 by default. */
  readonly delta?: number;
  /** What is left of the sum at the next number; 0.9999 by default. */
  readonly fading?: number;
  /** Numbers before the first alarm; 30 by default. */
  readonly warmUp?: number;
  /** Which change is found; both by default. */
  readonly direction?: 'up' | 'down' | 'both';
}

const COUNT = 0;
const MEAN = 1;
const UP = 2;
const UP_MIN = 3;
const DOWN = 4;
const DOWN_MAX = 5;

/**
 * The Page-Hinkley test: adds up deviations from the mean so far, and finds a drift where the sum is far from its least (or
 * greatest) value. It is fast, and finds slow changes; `threshold` depends on the unit, so there is no bound for false alarms.
 *
 * @example detectDrift({ of: (reading) => reading.pressure, detector: pageHinkley({ threshold: 20, direction: 'up' }) });
 *
 * Memory: six numbers. Source: Page, "Continuous inspection schemes", Biometrika 41 (1954); Gama et al., "A survey on concept drift
 * adaptation", 2014, for the fading.
 */
export function pageHinkley(options: PageHinkleyOptions = {}): DriftDetector {
  const { threshold = 50, delta = 0.005, fading = 0.9999, warmUp = 30, direction = 'both' } = options;
  return detector({
    kind: 'page-hinkley',
    settings: { threshold, delta, fading, warmUp, direction },
    problems: [
      ...betweenProblems({ threshold }, 0, Number.POSITIVE_INFINITY),
      ...betweenProblems({ fading }, 0, 1 + Number.EPSILON),
      ...notNegativeProblems({ delta, warmUp }),
    ],
    values: 'numbers',
    size: 6,
    add(state, at, x) {
      const count = (state[at + COUNT] as number) + 1;
      const before = state[at + MEAN] as number;
      const mean = meanWith(before, x, count);
      const up = fading * (state[at + UP] as number) + (x - mean) - delta;
      const down = fading * (state[at + DOWN] as number) + (x - mean) + delta;
      const upMin = count === 1 ? up : Math.min(up, state[at + UP_MIN] as number);
      const downMax = count === 1 ? down : Math.max(down, state[at + DOWN_MAX] as number);
      state[at + COUNT] = count;
      state[at + MEAN] = mean;
      state[at + UP] = up;
      state[at + UP_MIN] = upMin;
      state[at + DOWN] = down;
      state[at + DOWN_MAX] = downMax;
      if (count < warmUp) return undefined;
      const risen = direction === 'down' ? 0 : up - upMin;
      const fallen = direction === 'up' ? 0 : downMax - down;
      const statistic = Math.max(risen, fallen);
      return statistic > threshold ? { level: 'drift', statistic, threshold, before, after: null } : undefined;
    },
  });
}
