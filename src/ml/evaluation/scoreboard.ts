import type { Float64Cell } from '../../state/index.js';
import { isCorrect } from '../metrics/accuracy.js';
import { logLossOf } from '../metrics/log-loss.js';
import { binnedRocAuc, scoreBin } from '../metrics/roc-auc.js';

/** Score bins of the ROC AUC of a window. */
const BINS = 512;
/** Before a scorer's bins: its sum of log losses and its count of right predictions. */
const SUMS = 2;
const SCORER = SUMS + 2 * BINS;
/** Before the scorers: when the window began, labels in it, true ones among them. */
const HEAD = 3;

/** Numbers that a scoreboard keeps for so many scorers. */
export const scoreboardSize = (scorers: number): number => HEAD + scorers * SCORER;

/** How one scorer did in a window. */
export interface Scores {
  readonly logLoss: number;
  /** From 512 score bins; `NaN` where all labels were alike. */
  readonly rocAuc: number;
  readonly accuracy: number;
}

/** A finished window of progressive validation. */
export interface WindowScores {
  readonly endMs: number;
  readonly labelled: number;
  readonly positives: number;
  /** In the order of the scorers. */
  readonly scorers: readonly Scores[];
}

/** Running scores of a model and its baselines over windows of event time, in one typed array. */
export interface Scoreboard {
  /** Ends the window if this time lies outside of it, and returns it if it has any labels. */
  turn(nowMs: number): WindowScores | undefined;
  /** Adds one labelled row to the window: the probability that each scorer had given. */
  add(probabilities: ArrayLike<number>, label: boolean): void;
}

/**
 * Opens a scoreboard on its cell. Windows are aligned to multiples of `windowMs` since 1970; times never fall.
 * Memory: 1,026 numbers a scorer, whatever the number of rows.
 */
export function scoreboard(cell: Float64Cell, scorers: number, windowMs: number): Scoreboard {
  const { values } = cell;
  const bump = (at: number, by: number) => {
    values[at] = (values[at] as number) + by;
    cell.touch(at);
  };
  const sides = Array.from({ length: scorers }, (_, s) => {
    const start = HEAD + s * SCORER + SUMS;
    return {
      positives: values.subarray(start, start + BINS),
      negatives: values.subarray(start + BINS, start + 2 * BINS),
    };
  });

  const scoresOf = (s: number, labelled: number): Scores => {
    const at = HEAD + s * SCORER;
    return {
      logLoss: (values[at] as number) / labelled,
      rocAuc: binnedRocAuc(sides[s] as (typeof sides)[number]).rocAuc,
      accuracy: (values[at + 1] as number) / labelled,
    };
  };

  const clear = () => {
    for (let at = 1; at < values.length; at++) {
      if (values[at] === 0) continue;
      values[at] = 0;
      cell.touch(at);
    }
  };

  return {
    turn(nowMs) {
      const startMs = values[0] as number;
      if (nowMs >= startMs && nowMs < startMs + windowMs) return undefined;
      const currentMs = Math.floor(nowMs / windowMs) * windowMs;
      if (currentMs === startMs) return undefined;
      const labelled = values[1] as number;
      const finished =
        labelled === 0
          ? undefined
          : {
              endMs: startMs + windowMs,
              labelled,
              positives: values[2] as number,
              scorers: sides.map((_, s) => scoresOf(s, labelled)),
            };
      clear();
      values[0] = currentMs;
      cell.touch(0);
      return finished;
    },

    add(probabilities, label) {
      bump(1, 1);
      if (label) bump(2, 1);
      for (let s = 0; s < scorers; s++) {
        const probability = probabilities[s] as number;
        const at = HEAD + s * SCORER;
        bump(at, logLossOf(probability, label));
        if (isCorrect(probability, label)) bump(at + 1, 1);
        bump(at + SUMS + (label ? 0 : BINS) + scoreBin(probability, BINS), 1);
      }
    },
  };
}
