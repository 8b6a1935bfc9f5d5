import { MillraceError } from '../../../core/errors.js';
import type { ClassLabel, ClassScores, Learner } from '../../../core/learner.js';
import { requireClasses } from '../classes.js';
import { classLabels, denseLearner, type Labels, numberLabels, requireDense } from '../dense-learner.js';
import { RowWindow, type WindowCells, windowCells } from './row-window.js';

/** Which rows are kept, and which of them say what a row is. */
export interface NeighborsOptions {
  /** How many rows are asked; 5 by default. */
  readonly neighbors?: number;
  /** How many rows are kept, the newest; 1,000 by default. */
  readonly window?: number;
  /** Whether the vote of a row counts by the inverse of its distance, or all count alike. */
  readonly weights?: 'distance' | 'uniform';
}

/** The classes of a nearest-neighbour classifier, and whom it asks. `distance` is the default for `weights`. */
export interface KNearestNeighborsOptions<C extends ClassLabel> extends NeighborsOptions {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
}

interface Form<Y, P> {
  readonly kind: string;
  readonly where: string;
  readonly labels: Labels<Y, P>;
  /** The answer where no row is kept. */
  readonly unknown: number;
  /** The default of `weights`. */
  readonly usual: 'distance' | 'uniform';
}

/** Makes a prediction of the labels of the rows found, the first so many, and of how much each counts. */
type Answer = (labels: Float64Array, votes: Float64Array, found: number, into: Float64Array) => void;

/**
 * k-nearest neighbours over the newest rows: each class gets the votes of the nearest rows that have it, by Euclidean distance. A row
 * that is equal to the one asked for decides alone, the oldest of several. Features need a similar scale: put a `standardScaler` before.
 *
 * Guarantees: a prediction takes time in proportion to `window` and the features; learning a row takes the same time always, and allocates
 * nothing. Rows are forgotten after `window` others. A row counts in a vote as its weight says, but takes one place.
 * Memory: `window` rows of 2 + d numbers of 8 bytes, with d dense coordinates.
 * Errors: `config` where an option is out of range, and for a view without dense or with hashed features.
 * Source: Cover and Hart, "Nearest neighbor pattern classification", IEEE Transactions on Information Theory 13 (1967); votes as in River.
 *
 * @example learn(pipe(standardScaler(), kNearestNeighbors({ classes: ['walk', 'run', 'rest'], window: 500 })), { as: 'activity', ... });
 */
export function kNearestNeighbors<const C extends ClassLabel>(
  options: KNearestNeighborsOptions<C>,
): Learner<C, ClassScores, WindowCells> {
  const { classes } = options;
  requireClasses('kNearestNeighbors', classes);
  return nearest(
    {
      kind: 'k-nearest-neighbors',
      where: 'kNearestNeighbors',
      labels: classLabels(classes),
      unknown: 1 / classes.length,
      usual: 'distance',
    },
    options,
    (labels, votes, found, into) => {
      let sum = 0;
      into.fill(0);
      for (let n = 0; n < found; n++) {
        const c = labels[n] as number;
        const vote = votes[n] as number;
        into[c] = (into[c] as number) + vote;
        sum += vote;
      }
      for (let c = 0; c < into.length; c++) into[c] = (into[c] as number) / sum;
    },
  );
}

/**
 * k-nearest neighbours for numbers: the mean of the labels of the nearest rows. See `kNearestNeighbors`; here votes count alike by default.
 * A label beyond 1e50 is refused as `unusable-label`.
 *
 * @example learn(pipe(standardScaler(), kNearestNeighborsRegression({ window: 500 })), { as: 'delay', ... });
 */
export const kNearestNeighborsRegression = (options: NeighborsOptions = {}): Learner<number, number, WindowCells> =>
  nearest(
    {
      kind: 'k-nearest-neighbors-regression',
      where: 'kNearestNeighborsRegression',
      labels: numberLabels,
      unknown: 0,
      usual: 'uniform',
    },
    options,
    (labels, votes, found, into) => {
      let sum = 0;
      let all = 0;
      for (let n = 0; n < found; n++) {
        const vote = votes[n] as number;
        sum += vote;
        all += vote * (labels[n] as number);
      }
      into[0] = all / sum;
    },
  );

function nearest<Y, P>(
  { kind, where, labels, unknown, usual }: Form<Y, P>,
  options: NeighborsOptions,
  answer: Answer,
): Learner<Y, P, WindowCells> {
  const { neighbors = 5, window = 1_000, weights = usual } = options;
  if (![neighbors, window].every((count) => Number.isInteger(count) && count > 0))
    throw new MillraceError('config', `${where}: neighbors and window are ${neighbors} and ${window}`, {
      where,
      hint: 'give whole numbers of rows',
    });
  return denseLearner(
    kind,
    {
      labels,
      settings: { neighbors, window, weights },
      structure: { window },
      cells(shape) {
        requireDense(where, shape);
        return windowCells(window, shape.denseSize);
      },
    },
    ({ rows }, { denseSize }) => {
      const kept = new RowWindow(rows, window, denseSize, neighbors);
      return {
        predict(row, into) {
          const found = kept.find(row);
          const { distances, labels, votes } = kept;
          if (weights === 'distance')
            for (let n = 0; n < found; n++) votes[n] = (votes[n] as number) / (distances[n] as number);
          if (found === 0) into.fill(unknown);
          else if (distances[0] !== 0) answer(labels, votes, found, into);
          else {
            votes[0] = 1;
            answer(labels, votes, 1, into);
          }
        },
        learn: (row, label, weight) => kept.add(row, label, weight),
      };
    },
  );
}
