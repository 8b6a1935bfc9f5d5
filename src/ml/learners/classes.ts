import { MillraceError } from '../../core/errors.js';
import type { ClassLabel } from '../../core/learner.js';

/** Checks that classes are two or more and differ, also as names of the scores. */
export function requireClasses(where: string, classes: readonly ClassLabel[]): void {
  if (new Set(classes.map(String)).size === classes.length && classes.length >= 2) return;
  throw new MillraceError('config', `${where}: classes are ${classes.join(', ') || 'none'}`, {
    where: `${where}.classes`,
    hint: 'give at least two classes, each once',
  });
}

/** The index of each class. */
export const indicesOf = (classes: readonly ClassLabel[]): ReadonlyMap<ClassLabel, number> =>
  new Map(classes.map((label, index) => [label, index]));

/**
 * Turns scores in nats into shares that add up to 1, in place. Classes of which nothing is known have `-Infinity`; where that is
 * all of them, the shares are equal.
 */
export function normalize(scores: Float64Array): Float64Array {
  let most = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < scores.length; c++) if ((scores[c] as number) > most) most = scores[c] as number;
  if (most === Number.NEGATIVE_INFINITY) return scores.fill(1 / scores.length);
  let sum = 0;
  for (let c = 0; c < scores.length; c++) {
    const share = Math.exp((scores[c] as number) - most);
    scores[c] = share;
    sum += share;
  }
  for (let c = 0; c < scores.length; c++) scores[c] = (scores[c] as number) / sum;
  return scores;
}
