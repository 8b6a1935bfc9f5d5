import { describe, expect, it } from 'vitest';
import type { Learner } from '../../src/core/index.js';
import {
  ftrl,
  logisticRegression,
  minMaxScaler,
  modelCells,
  openModel,
  pipe,
  sgd,
  standardScaler,
} from '../../src/ml/index.js';
import { openCells, vector } from './support.js';

const shape = { denseSize: 3, hashedSize: 0, layout: 7 };

/** Learns two rows by one learner, and opens its stored state by another. */
function handOver(from: Learner<boolean, number>, to: Learner<boolean, number>, layout = 7): number {
  const specs = modelCells(from, shape);
  const cells = openCells(specs);
  const model = openModel(from, shape, cells);
  for (const label of [true, false]) model.learnOne(vector([1, 2, 3]), label);
  const otherShape = { ...shape, layout };
  const others = openCells(modelCells(to, otherShape));
  for (const [name, cell] of Object.entries(cells))
    for (const { bucket, bytes } of cell.takeChanges())
      if (bytes) others[name]?.restore(bucket, bytes, specs[name]?.version ?? 0);
  return openModel(to, otherShape, others).predictOne(vector([1, 2, 3]));
}

const byFtrl = (alpha: number, l1 = 0) => logisticRegression({ optimizer: ftrl({ alpha, l1 }) });
const bySgd = logisticRegression({ optimizer: sgd({ rate: 0.1 }) });

describe('the state of a model', () => {
  it('goes on under another rate, which does not change what its numbers mean', () => {
    expect(handOver(byFtrl(0.1), byFtrl(0.1))).toBe(handOver(byFtrl(0.1), byFtrl(0.1)));
    expect(handOver(byFtrl(0.1), byFtrl(0.2))).not.toBe(0.5);
  });

  it.each([
    ['another optimizer', byFtrl(0.1), bySgd, 7],
    [
      'an intercept with a rule of its own',
      bySgd,
      logisticRegression({ optimizer: sgd({ rate: 0.1 }), interceptRate: 1 }),
      7,
    ],
    ['a pipe of other transformers', pipe(standardScaler(), bySgd), pipe(minMaxScaler(), bySgd), 7],
    ['another kind', bySgd, { ...bySgd, kind: 'other' }, 7],
    ['other classes', { ...bySgd, classes: ['a'] }, { ...bySgd, classes: ['b'] }, 7],
    ['another layout of the features', bySgd, bySgd, 8],
  ])('is refused by %s', (_name, from, to, layout) => {
    expect(() => handOver(from, to, layout)).toThrow(
      expect.objectContaining({ code: 'state', permanent: true, message: expect.stringMatching(/another learner/) }),
    );
  });
});
