import type { Cell, CellSpecs, FeatureShape, FeatureVector, Learner, LearnerLogic } from '../../src/core/index.js';

export const vector = (dense: readonly number[], indices: readonly number[] = []): FeatureVector => ({
  view: 'test',
  hash: 'test',
  dense: Float32Array.from(dense),
  indices: Uint32Array.from(indices),
  values: new Float32Array(indices.length).fill(1),
});

export function openCells(specs: CellSpecs): Record<string, Cell> {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.open()]));
}

export function openLearner<S extends CellSpecs>(
  learner: Learner<boolean, number, S>,
  shape: FeatureShape,
): LearnerLogic<boolean, number> {
  return learner.open(openCells(learner.cells(shape)) as Parameters<typeof learner.open>[0], shape);
}
