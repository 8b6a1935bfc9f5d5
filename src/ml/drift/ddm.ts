import { betweenProblems, type DriftDetector, detector, meanWith } from './detector.js';

/** How far the error rate must rise. */
export interface DdmOptions {
  /** Standard deviations above the lowest rate that are a warning; 2 by default. */
  readonly warningAt?: number;
  /** Those that are a drift; 3 by default. */
  readonly driftAt?: number;
  /** Errors and hits before the rate counts; 30 by default. */
  readonly warmUp?: number;
}

const COUNT = 0;
const RATE = 1;
/** Whether there is a lowest rate yet, the rate, and its deviation. */
const HAS_LOWEST = 2;
const LOWEST = 3;
const LOWEST_DEVIATION = 4;

/**
 * The drift detection method (DDM): the error rate of a model falls while it learns, so a rate that is some standard deviations above its
 * lowest value is a drift. It takes errors as 1 and hits as 0.
 *
 * @example detectDrift({ of: (row) => row.predicted !== row.label, detector: ddm() });
 *
 * It finds sudden changes, and slow ones late. It alarms on noise as well: there is no bound. Memory: five numbers.
 * Source: Gama et al., "Learning with drift detection", SBIA 2004.
 */
export function ddm(options: DdmOptions = {}): DriftDetector {
  const { warningAt = 2, driftAt = 3, warmUp = 30 } = options;
  const wrong = { message: `warningAt is ${warningAt}, above driftAt`, hint: 'a drift is further away than a warning' };
  return detector({
    kind: 'ddm',
    settings: { warningAt, driftAt, warmUp },
    problems: [
      ...betweenProblems({ warningAt, driftAt }, 0, Number.POSITIVE_INFINITY),
      ...(driftAt > 0 && warningAt > driftAt ? [wrong] : []),
    ],
    values: 'shares',
    size: 5,
    add(state, at, x) {
      const count = (state[at + COUNT] as number) + 1;
      const rate = meanWith(state[at + RATE] as number, x, count);
      state[at + COUNT] = count;
      state[at + RATE] = rate;
      if (count <= warmUp) return undefined;
      const deviation = Math.sqrt((rate * (1 - rate)) / count);
      const statistic = rate + deviation;
      const isLowest =
        state[at + HAS_LOWEST] === 0 ||
        statistic <= (state[at + LOWEST] as number) + (state[at + LOWEST_DEVIATION] as number);
      if (isLowest) {
        state[at + HAS_LOWEST] = 1;
        state[at + LOWEST] = rate;
        state[at + LOWEST_DEVIATION] = deviation;
      }
      const before = state[at + LOWEST] as number;
      const limit = (deviations: number) => before + deviations * (state[at + LOWEST_DEVIATION] as number);
      if (statistic > limit(driftAt))
        return { level: 'drift', statistic, threshold: limit(driftAt), before, after: rate };
      if (statistic > limit(warningAt))
        return { level: 'warning', statistic, threshold: limit(warningAt), before, after: rate };
      return undefined;
    },
  });
}
