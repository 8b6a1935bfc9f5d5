import { totalOf } from './weighted.js';

/** A share is no less than this: otherwise one empty bin would make the sum infinite. */
const SHARE_MIN = 1e-4;

/**
 * The population stability index (PSI): over bins, the sum of (q - p) ln(q / p) of the shares p of the reference and q of now.
 *
 * @example psi([10, 20, 30, 25, 15], [5, 15, 30, 30, 20]); // 0.0725
 *
 * Both are counts of the same bins. A share of 0 counts as 0.0001. Without any change it is about (1/n + 1/m) times a chi-squared number with
 * one degree of freedom less than bins: the thresholds 0.1 and 0.25 mean something only for one number of rows. NaN if one side is empty.
 * Source: Lewis, "An Introduction to Credit Scoring", 1994.
 */
export function psi(reference: ArrayLike<number>, now: ArrayLike<number>): number {
  const [all, allNow] = [totalOf(reference), totalOf(now)];
  if (all === 0 || allNow === 0) return Number.NaN;
  let sum = 0;
  for (let i = 0; i < reference.length; i++) {
    const p = Math.max(SHARE_MIN, (reference[i] as number) / all);
    const q = Math.max(SHARE_MIN, (now[i] as number) / allNow);
    sum += (q - p) * Math.log(q / p);
  }
  return sum;
}
