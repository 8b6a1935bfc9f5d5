import type { Cell, CellSpecs } from '../../src/core/index.js';

export { featureVector as vector, openLearner } from '../../src/testing.js';

export function openCells(specs: CellSpecs): Record<string, Cell> {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.open()]));
}
