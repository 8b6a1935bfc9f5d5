import { MillraceError } from '../../../core/errors.js';
import { requirePositive } from '../../check-options.js';
import type { ForestCells } from '../trees/forest.js';

/** The cells of trees, and what an ensemble knows of each of them. */
export interface EnsembleCells extends ForestCells {
  readonly members: ForestCells['trees'];
}

/** Refuses numbers of trees, of times that a tree learns a row, and of features that cannot be. */
export function requireMembers(
  where: string,
  options: { readonly trees: number; readonly rowWeight: number; readonly featuresPerLeaf?: number },
): void {
  const { trees, rowWeight, featuresPerLeaf = 1 } = options;
  requirePositive(where, options);
  if (![trees, featuresPerLeaf].every(Number.isInteger) || rowWeight > 100)
    throw new MillraceError('config', `${where}: trees and rowWeight are ${trees} and ${rowWeight}`, {
      where,
      hint: 'give whole numbers of trees and of features, and a rowWeight of 100 at most',
    });
}

export function addVote(into: Float64Array, shares: Float64Array, weight: number): void {
  for (let c = 0; c < into.length; c++) into[c] = (into[c] as number) + (shares[c] as number) * weight;
}

/** Votes as shares that add up to 1. */
export function toShares(votes: Float64Array): void {
  let sum = 0;
  for (let c = 0; c < votes.length; c++) sum += votes[c] as number;
  for (let c = 0; c < votes.length; c++) votes[c] = (votes[c] as number) / sum;
}
