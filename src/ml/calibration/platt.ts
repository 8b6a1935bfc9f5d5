import { requirePositive } from '../check-options.js';
import type { Calibrator } from './calibrator.js';

/** How fast a calibration changes. */
export interface PlattOptions {
  /** About how many of the newest labels it is made of; 10,000 by default. */
  readonly labels?: number;
}

/** The slope less 1, the intercept, and the information that labels have given about both. */
const SLOPE = 0;
const INTERCEPT = 1;
const INFORMATION = 2;

/** Log-odds beyond it, of probabilities within 1.2e-7 of 0 and 1, count as this. */
const LOG_ODDS_MAX = 16;

const logOddsOf = (p: number): number => Math.max(-LOG_ODDS_MAX, Math.min(LOG_ODDS_MAX, Math.log(p) - Math.log1p(-p)));

/**
 * Platt scaling: a logistic regression of the label on the log-odds that the model says. Two numbers are learnt, so it needs few labels, and
 * mends a model that is too sure or whose rate is off.
 *
 * @example calibrated(gaussianBayes({ classes: [false, true] }), platt({ labels: 5_000 }));
 *
 * Each label is one step of Newton's method with the curvature of about the newest `labels`; a prior as strong as one label holds the slope
 * at 1 and the intercept at 0. A label counts as `labels` of them at most, so after the absurdest of weights it takes a few times as many
 * to come back. Memory: five numbers.
 * Source: Platt, "Probabilistic outputs for support vector machines", 1999; the step as in Bishop, "Pattern Recognition and Machine
 * Learning", 2006, section 4.3.3.
 * @throws MillraceError `config` where an option is out of range
 */
export function platt({ labels = 10_000 }: PlattOptions = {}): Calibrator {
  requirePositive('platt', { labels });
  const kept = Math.max(0, 1 - 1 / labels);
  return Object.freeze({
    kind: 'platt',
    settings: Object.freeze({ labels }),
    size: 5,
    open(values: Float64Array) {
      const at = (i: number): number => values[i] as number;
      const probabilityAt = (logOdds: number): number =>
        1 / (1 + Math.exp(-((1 + at(SLOPE)) * logOdds + at(INTERCEPT))));
      return {
        calibrate: (said: number) => probabilityAt(logOddsOf(said)),
        learn(said: number, isTrue: boolean, weightOfLabel: number) {
          const weight = Math.min(weightOfLabel, labels);
          const x = logOddsOf(said);
          const p = probabilityAt(x);
          const curvature = weight * p * (1 - p);
          const xx = kept * at(INFORMATION) + curvature * x * x;
          const x1 = kept * at(INFORMATION + 1) + curvature * x;
          const one = kept * at(INFORMATION + 2) + curvature;
          values[INFORMATION] = xx;
          values[INFORMATION + 1] = x1;
          values[INFORMATION + 2] = one;
          const off = weight * (p - Number(isTrue));
          // The inverse of [[xx + 1, x1], [x1, one + 1]], times the slope of the loss.
          const determinant = (xx + 1) * (one + 1) - x1 * x1;
          values[SLOPE] = at(SLOPE) - (off * ((one + 1) * x - x1)) / determinant;
          values[INTERCEPT] = at(INTERCEPT) - (off * (xx + 1 - x1 * x)) / determinant;
          // A model that says the contrary is not turned round: calibration keeps the order.
          if (at(SLOPE) < SLOPE_MIN - 1) values[SLOPE] = SLOPE_MIN - 1;
        },
      };
    },
  });
}

/** The least slope: predictions keep their order. */
const SLOPE_MIN = 1e-3;
