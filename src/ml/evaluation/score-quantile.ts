import type { Float64Cell } from '../../state/index.js';

/** A bin takes scores whose odds, `score / (1 - score)`, are within about 2 %. */
const STEP = 0.02;
const BINS = 2_048;

/** Numbers that a quantile keeps: the count of scores, then that of each bin. */
export const scoreQuantileSize = 1 + BINS;

/** The bin of a score from 0 to 1, by the logarithm of its odds: near both ends scores that differ little mean much. */
function binOf(score: number): number {
  const bin = BINS / 2 + Math.floor(Math.log(score / (1 - score)) / STEP);
  return Math.max(0, Math.min(BINS - 1, bin));
}

/** A quantile of all scores so far. */
export interface ScoreQuantile {
  /** Says whether a score is above the quantile of those before it, then counts it. */
  exceeds(score: number): boolean;
}

/**
 * Opens a quantile of scores from 0 to 1 on its cell. Nothing is above it before `1 / (1 - q)` scores were counted.
 *
 * Error: a score is above if its bin is: the odds of a score may be up to 2 % above those of the quantile and be taken as equal.
 * Scores within 1.3e-9 of 0 or 1 share a bin. Memory: 16 KiB.
 */
export function scoreQuantile(cell: Float64Cell, q: number): ScoreQuantile {
  const { values } = cell;
  const countsMin = Math.ceil(1 / (1 - q) - 1e-6); // 10 for 0.9, whatever the rounding
  // The bin where the quantile was last, and the scores below it. They follow from the counts, and seldom move.
  let quantileBin = 0;
  let below = 0;
  const countOf = (bin: number) => values[1 + bin] as number;
  const moveTo = (rank: number) => {
    while (below > rank) below -= countOf(--quantileBin);
    while (below + countOf(quantileBin) <= rank) below += countOf(quantileBin++);
  };
  const bump = (at: number) => {
    values[at] = (values[at] as number) + 1;
    cell.touch(at);
  };
  return {
    exceeds(score) {
      const bin = binOf(score);
      const total = values[0] as number;
      if (total > 0) moveTo(Math.floor(q * (total - 1)));
      const isAbove = total >= countsMin && bin > quantileBin;
      if (bin < quantileBin) below += 1;
      bump(0);
      bump(1 + bin);
      return isAbove;
    },
  };
}
