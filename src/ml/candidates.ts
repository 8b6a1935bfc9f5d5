import type { FeatureNumbers, FeatureShape, Learner, LearnResult } from '../core/learner.js';
import type { Origin } from '../core/record.js';
import type { Cell, CellSpecs } from '../core/state.js';
import { type Float64Cell, float64Cell } from '../state/index.js';
import { halvingSize, openHalving } from './evaluation/successive-halving.js';
import { openSlots, slotCells } from './learner-slots.js';
import { type AnyLearner, learnerCells, loggedLearning, type ModelPlace, modelCells } from './model.js';
import { revisionOfParts, settingsOfParts } from './parts.js';

/** Learners of one kind of labels, by the names that the user gave them. */
export type NamedLearners<Y, P> = readonly (readonly [name: string, learner: Learner<Y, P>])[];

/** A label with the losses of the candidates that are left, or the label alone once one is left: as the log of updates keeps it. */
type JudgedLabel<Y> = Y | readonly [label: Y, losses: readonly number[]];

/** No label is an array. */
const isJudged = <Y>(given: JudgedLabel<Y>): given is readonly [label: Y, losses: readonly number[]] =>
  Array.isArray(given);

/** A candidate that was dropped, with mean losses over all labels so far. */
export interface Dropped {
  readonly candidate: number;
  readonly loss: number;
  readonly best: number;
  readonly bestLoss: number;
  readonly labels: number;
}

/** Candidates at work in an operator, as numbers from 0 in the order of their declaration. */
export interface Candidates<Y, P> {
  /** The one with the least loss so far. */
  best(): number;
  /** Calls `use` with the prediction of each candidate that is left. */
  predictOne(features: FeatureNumbers, use: (prediction: P, candidate: number) => void): void;
  /** Lets all that are left learn. `lossOf` says how wrong a candidate's prediction of this row was. */
  learnOne(
    features: FeatureNumbers,
    label: Y,
    weight: number,
    origin: Origin,
    lossOf: (candidate: number) => number,
  ): LearnResult;
}

const HALVING = 'halving';

/** All candidates as one learner: their cells are one state. */
const together = (candidates: NamedLearners<never, unknown>, rungLabels: number): AnyLearner => ({
  kind: `candidates(${candidates.map(([name, { kind }]) => `${name}: ${kind}`).join(', ')})`,
  settings: { ...settingsOfParts(candidates.map(([name, { settings }]) => [name, settings])), rungLabels },
  structure: settingsOfParts(candidates.map(([name, { structure }]) => [name, structure])),
  revision: revisionOfParts(candidates.map(([, learner]) => learner)),
  ...(candidates[0]?.[1].classes && { classes: candidates[0][1].classes }),
  cells: (shape) => ({
    [HALVING]: float64Cell({ size: halvingSize(candidates.length) }),
    ...slotCells(
      candidates.map(([, learner]) => learner),
      shape,
    ),
  }),
});

/** The cells of candidates. */
export const candidateCells = (
  candidates: NamedLearners<never, unknown>,
  rungLabels: number,
  shape: FeatureShape,
  place: ModelPlace,
): CellSpecs => modelCells(together(candidates, rungLabels), shape, place);

/**
 * Opens candidates on the cells that `candidateCells` declared. All learn from the same rows. At the end of a rung the worse half of
 * those that are left is dropped and the memory of their models freed; `dropped` is then called for each.
 *
 * Guarantees: those of `openModel`, for all candidates and for when they are dropped. A row that some of them refuse is learnt by
 * the others, and counts in the losses of all. One that all refuse changes nothing.
 */
export function openCandidates<Y, P>(
  candidates: NamedLearners<Y, P>,
  rungLabels: number,
  shape: FeatureShape,
  opened: Readonly<Record<string, Cell>>,
  { prefix = '', name = '', dropped }: ModelPlace & { readonly name?: string; dropped(loser: Dropped): void },
): Candidates<Y, P> {
  const learner = together(candidates, rungLabels);
  const cells = learnerCells(learner, shape, opened, prefix);
  const halving = openHalving(cells[HALVING] as Float64Cell, candidates.length, rungLabels);
  const learners = candidates.map(([, one]) => one);
  const slots = openSlots(learners, shape, cells, (candidate) => halving.left().includes(candidate));
  /** Who was dropped by the update in hand. */
  let losers: readonly number[] = [];

  const log = loggedLearning<JudgedLabel<Y>>(
    learner,
    shape,
    opened,
    { prefix, name, cells: Object.values(cells) },
    (features, given, weight) => {
      const [label, losses] = isJudged(given) ? given : [given];
      const result = slots.learnOne(features, label, weight);
      if (result === 'learnt' && losses) {
        losers = halving.add(losses);
        losers.forEach(slots.free);
      }
      return result;
    },
  );

  return {
    best() {
      log.settle();
      return halving.best();
    },
    predictOne(features, use) {
      log.settle();
      slots.predictOne(features, use);
    },
    learnOne(features, label, weight, origin, lossOf) {
      log.settle();
      const left = halving.left();
      losers = [];
      const result = log.learnOne(features, left.length > 1 ? [label, left.map(lossOf)] : label, weight, origin);
      const best = halving.best();
      const labels = halving.labels();
      for (const candidate of losers)
        dropped({ candidate, loss: halving.meanLoss(candidate), best, bestLoss: halving.meanLoss(best), labels });
      return result;
    },
  };
}
