import type { Aggregate } from '../../../aggregates/aggregate.js';
import type { BinaryLabel, Labelled } from '../labelled.js';
import { type BinOptions, scoreMetric } from './score-table.js';

/** The weights of rows by bin of their score, the lowest first. */
export interface ScoreHistogram {
  /** Of true labels. */
  readonly positives: readonly number[];
  /** Of false labels. */
  readonly negatives: readonly number[];
}

/**
 * The scores of true and of false labels by bin: what ROC AUC and PR AUC are read from. Histograms of tasks, slices and weeks are added up
 * bin by bin, which ROC AUCs cannot be; a table can do that by SQL.
 *
 * @example
 * const scores = { scores: scoreHistogram({ bins: 64 }) }; // scores: { positives: [0, 1, ...], negatives: [9, 4, ...] }
 *
 * Retracts. Memory: two numbers a bin.
 */
export const scoreHistogram = (
  options: Omit<BinOptions, 'classes'> = {},
): Aggregate<Labelled<number, BinaryLabel>, ScoreHistogram | null> =>
  scoreMetric('score histogram', options, ([table]) => ({
    positives: Array.from(table?.positives ?? []),
    negatives: Array.from(table?.negatives ?? []),
  }));
