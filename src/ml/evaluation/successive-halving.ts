import type { Float64Cell } from '../../state/index.js';

/** What a prediction costs at most, and one that is no number: sums of losses stay finite, so that they can be compared. */
const LOSS_MAX = 1e100;

/** Before the candidates: the labels so far, and the rungs that have ended. */
const HEAD = 2;

/** Numbers that successive halving keeps: of each candidate its sum of losses, and whether it was dropped. */
export const halvingSize = (candidates: number): number => HEAD + 2 * candidates;

/** Candidates, as numbers from 0, of which the worse half is dropped from time to time. */
export interface Halving {
  /** Those that are left, in their order. */
  left(): readonly number[];
  /** The one of them with the least loss so far; the first of equal ones. */
  best(): number;
  /** The labels that they were compared by. */
  labels(): number;
  meanLoss(candidate: number): number;
  /** Adds the losses of those that are left by one label, in their order; returns who is dropped for it, the worst first. */
  add(losses: readonly number[]): readonly number[];
}

/**
 * Opens successive halving on its cell. All candidates that are left are judged by the same labels (paired), so their sums of losses
 * can be compared. After `rungLabels` labels the worse half is dropped, after twice as many more again, and so on until one is left: a
 * rung has half of the candidates and twice the labels of the one before, so all cost about the same.
 *
 * Memory: two numbers a candidate.
 *
 * Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016.
 *
 * @example
 * const halving = openHalving(cell, 12, 2_000);
 * for (const dropped of halving.add(halving.left().map(lossOf))) free(dropped);
 */
export function openHalving(cell: Float64Cell, candidates: number, rungLabels: number): Halving {
  const { values } = cell;
  const lossAt = (candidate: number): number => HEAD + candidate;
  const droppedAt = (candidate: number): number => HEAD + candidates + candidate;
  const lossOf = (candidate: number): number => values[lossAt(candidate)] as number;
  const bump = (at: number, by: number): void => {
    values[at] = (values[at] as number) + by;
    cell.touch(at);
  };
  let left = Array.from({ length: candidates }, (_, candidate) => candidate).filter((c) => values[droppedAt(c)] === 0);
  const leader = (): number => left.reduce((best, next) => (lossOf(next) < lossOf(best) ? next : best));
  let best = leader();

  const halve = (): readonly number[] => {
    const worstFirst = left.toSorted((a, b) => lossOf(b) - lossOf(a) || b - a);
    const dropped = worstFirst.slice(0, Math.floor(left.length / 2));
    for (const candidate of dropped) bump(droppedAt(candidate), 1);
    left = left.filter((candidate) => !dropped.includes(candidate));
    bump(1, 1);
    return dropped;
  };

  return {
    left: () => left,
    best: () => best,
    labels: () => values[0] as number,
    meanLoss: (candidate) => lossOf(candidate) / (values[0] as number),
    add(losses) {
      left.forEach((candidate, i) => {
        const loss = losses[i] as number;
        bump(lossAt(candidate), Number.isNaN(loss) ? LOSS_MAX : Math.min(loss, LOSS_MAX));
      });
      bump(0, 1);
      const rungs = values[1] as number;
      const dropped = (values[0] as number) >= rungLabels * (2 ** (rungs + 1) - 1) ? halve() : [];
      best = leader();
      return dropped;
    },
  };
}
