import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { type CellSpec, hours, type Learner, type StatefulShape } from '../../src/core/index.js';
import { featureView, numeric } from '../../src/ml/features/index.js';
import { adaGrad, ftrl, logisticRegression, minMaxScaler, pipe, sgd, standardScaler } from '../../src/ml/index.js';
import { modelCells, openModel } from '../../src/ml/model.js';
import { featurize, learn } from '../../src/operators/index.js';
import { json } from '../../src/schema/index.js';
import type { Float64Cell } from '../../src/state/index.js';
import { planState, type Topology, topology } from '../../src/topology/index.js';
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

interface Row {
  readonly id: number;
  readonly x: number;
}

/** A topology whose step `model` learns by a learner. */
const learning = (learner: Learner<boolean, number>) =>
  topology('learning', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    const view = featureView({
      name: 'rows',
      version: 1,
      columns: { x: (row: Row) => row.x },
      features: { x: numeric('x') },
    });
    const labels = t.source('labels', kafka.source({ topic: 'labels', schema: json<Row>() }));
    t.source('rows', kafka.source({ topic: 'rows', schema: json<Row>() }))
      .via('features', featurize(view))
      .via(
        'model',
        { labels },
        learn(learner, {
          as: 'said',
          view,
          key: (row) => row.id,
          label: { key: (row) => row.id, value: (row) => row.x > 0, wait: hours(1) },
          pendingMax: 10,
        }),
      )
      .to('out', kafka.sink({ topic: 'out', schema: json<unknown>() }));
  });

/** What the plan of one topology says of the model that another has left behind. */
function planOf(from: Topology, to: Topology) {
  const step = from.steps.find(({ id }) => id === 'model')?.shape as StatefulShape;
  const spec = step.cells['model-weights'] as CellSpec;
  const cell = spec.open();
  (cell as Float64Cell).touch(0);
  const state = cell
    .takeChanges()
    .map((change) => ({ ...change, step: 'model', cell: 'model-weights', version: spec.version }));
  const checkpoint = { epoch: 1, incarnation: 0, topologyHash: 'x', positions: {}, settledDecisions: {} };
  const { cells } = planState(to, [{ partition: 0, state, topics: {}, checkpoint }]);
  return cells.find(({ cell: name }) => name === 'model-weights');
}

describe('the state of a model', () => {
  it('is refused by the plan of a topology with another learner', () => {
    expect(planOf(learning(bySgd), learning(bySgd))).toMatchObject({ action: 'reused' });
    expect(planOf(learning(byFtrl(0.1)), learning(byFtrl(0.3)))).toMatchObject({ action: 'reused' });
    expect(planOf(learning(byFtrl(0.1)), learning(logisticRegression({ optimizer: adaGrad() })))).toMatchObject({
      action: 'refused',
      note: expect.stringMatching(/^the state is of another learner/),
    });
  });

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
