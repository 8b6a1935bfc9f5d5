import { addToMoments, MOMENTS_SIZE, varianceOf } from '../../util/moments.js';
import { betweenProblems, type DriftDetector, detector } from './detector.js';

/** How much closer errors must come. */
export interface EddmOptions {
  /** The share of the greatest distance between errors below which there is a warning; 0.95 by default. */
  readonly warningAt?: number;
  /** The share below which there is a drift; 0.9 by default. */
  readonly driftAt?: number;
  /** Errors before the first alarm; 30 by default. */
  readonly warmUp?: number;
}

const COUNT = 0;
const LAST_ERROR = 1;
const GREATEST = 2;
/** What was seen at the last error, if that was a warning: it holds until the next one. */
const WARNED = 3;
/** Moments of the distances between errors; their count is that of the errors. */
const DISTANCES = 4;

/**
 * The early drift detection method (EDDM): watches the distance between two errors, which grows while a model learns, and finds a drift
 * where it has shrunk. It takes errors as 1; all else is a hit.
 *
 * @example detectDrift({ of: (row) => row.predicted !== row.label, detector: eddm() });
 *
 * It finds slow changes earlier than `ddm`, and alarms on noise more often: there is no bound. It can alarm at errors only.
 * Memory: seven numbers. Source: Baena-García et al., "Early drift detection method", 2006.
 */
export function eddm(options: EddmOptions = {}): DriftDetector {
  const { warningAt = 0.95, driftAt = 0.9, warmUp = 30 } = options;
  const wrong = { message: `driftAt is ${driftAt}, above warningAt`, hint: 'a drift is further away than a warning' };
  return detector({
    kind: 'eddm',
    settings: { warningAt, driftAt, warmUp },
    problems: [...betweenProblems({ warningAt, driftAt }, 0, 1), ...(driftAt > warningAt ? [wrong] : [])],
    values: 'shares',
    size: DISTANCES + MOMENTS_SIZE,
    add(state, at, x) {
      const count = (state[at + COUNT] as number) + 1;
      state[at + COUNT] = count;
      const seen = (level: 'warning' | 'drift', statistic: number) => ({
        level,
        statistic,
        threshold: level === 'drift' ? driftAt : warningAt,
        before: null,
        after: 1 / (state[at + DISTANCES + 1] as number),
      });
      const warned = state[at + WARNED] as number;
      if (x !== 1) return warned > 0 ? seen('warning', warned) : undefined;
      addToMoments(state, at + DISTANCES, count - (state[at + LAST_ERROR] as number));
      state[at + LAST_ERROR] = count;
      if (count <= warmUp) return undefined;
      const errors = state[at + DISTANCES] as number;
      const mean = state[at + DISTANCES + 1] as number;
      const distance = mean + 2 * Math.sqrt(varianceOf(state, at + DISTANCES));
      const greatest = state[at + GREATEST] as number;
      state[at + WARNED] = 0;
      if (distance > greatest) {
        state[at + GREATEST] = distance;
        return undefined;
      }
      if (errors <= warmUp) return undefined;
      const statistic = distance / greatest;
      if (statistic < driftAt) return seen('drift', statistic);
      if (statistic >= warningAt) return undefined;
      state[at + WARNED] = statistic;
      return seen('warning', statistic);
    },
  });
}
