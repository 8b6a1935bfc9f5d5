import type { FeatureNumbers, FeatureShape, Learner, LearnerLogic, LearnResult } from '../core/learner.js';
import type { Cell, CellSpecs } from '../core/state.js';
import { type DroppableCell, droppable } from '../state/index.js';
import type { AnyLearner } from './model.js';
import { cellsOfPart, cellsOfParts } from './parts.js';

// Learners side by side in one model. All learn from the same rows. A slot holds one of them, or nothing and then takes no memory.

/** The cells of the slots: a learner for each. */
export const slotCells = (learners: readonly Pick<AnyLearner, 'cells'>[], shape: FeatureShape): CellSpecs =>
  cellsOfParts(
    learners.map((learner) =>
      Object.fromEntries(Object.entries(learner.cells(shape)).map(([name, spec]) => [name, droppable(spec)])),
    ),
  );

/** Opens the slots that are used, on the cells that `slotCells` declared. The cells of the others stay empty. */
export function openSlots<Y, P>(
  learners: readonly Learner<Y, P>[],
  shape: FeatureShape,
  cells: Readonly<Record<string, Cell>>,
  isUsed: (slot: number) => boolean,
) {
  const cellsOf = (slot: number) => Object.entries(cellsOfPart(cells, slot) as Record<string, DroppableCell>);
  const open = (learner: Learner<Y, P>, slot: number): LearnerLogic<Y, P> =>
    learner.open(Object.fromEntries(cellsOf(slot).map(([name, { content }]) => [name, content])), shape);
  const logics = learners.map((learner, slot) => (isUsed(slot) ? open(learner, slot) : undefined));
  return {
    /** Puts a learner that has learnt nothing into the first free slot, and returns the slot. */
    begin(): number {
      const slot = logics.indexOf(undefined);
      logics[slot] = open(learners[slot] as Learner<Y, P>, slot);
      return slot;
    },
    /** Removes the learner of a slot, if it has one. */
    free(slot: number): void {
      if (logics[slot] === undefined) return;
      logics[slot] = undefined;
      for (const [, cell] of cellsOf(slot)) cell.drop();
    },
    predictOne(features: FeatureNumbers, use: (prediction: P, slot: number) => void): void {
      for (let slot = 0; slot < logics.length; slot++) {
        const logic = logics[slot];
        if (logic) use(logic.predictOne(features), slot);
      }
    },
    /** A row that some of them refuse is learnt by the others. */
    learnOne(features: FeatureNumbers, label: Y, weight: number): LearnResult {
      let result: LearnResult | undefined;
      for (const logic of logics) {
        if (logic === undefined) continue;
        const own = logic.learnOne(features, label, weight);
        result = own === 'learnt' ? own : (result ?? own);
      }
      return result as LearnResult;
    },
  };
}
