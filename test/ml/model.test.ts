import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import {
  type CellSpec,
  hours,
  type Learner,
  type StateChange,
  type StatefulShape,
  seconds,
} from '../../src/core/index.js';
import { featureView, numeric } from '../../src/ml/features/index.js';
import { adaGrad, ftrl, logisticRegression, minMaxScaler, pipe, sgd, standardScaler } from '../../src/ml/index.js';
import { modelCells, openLogic, openModel } from '../../src/ml/model.js';
import { featurize, learn } from '../../src/operators/index.js';
import { TaskState } from '../../src/runtime/task-state.js';
import { json } from '../../src/schema/index.js';
import type { Float64Cell } from '../../src/state/index.js';
import { originAt } from '../../src/testing/contract.js';
import { planState, type Topology, topology } from '../../src/topology/index.js';
import { openCells, vector } from './support.js';

const shape = { denseSize: 3, hashedSize: 0, layout: 7 };

/** Learns two rows by one learner, and opens its stored state by another. */
function handOver(from: Learner<boolean, number>, to: Learner<boolean, number>, layout = 7): number {
  const specs = modelCells(from, shape);
  const cells = openCells(specs);
  const model = openLogic(from, shape, cells);
  for (const label of [true, false]) model.learnOne(vector([1, 2, 3]), label);
  const otherShape = { ...shape, layout };
  const others = openCells(modelCells(to, otherShape));
  for (const [name, cell] of Object.entries(cells))
    for (const { bucket, bytes } of cell.takeChanges())
      if (bytes) others[name]?.restore(bucket, bytes, specs[name]?.version ?? 0);
  return openLogic(to, otherShape, others).predictOne(vector([1, 2, 3]));
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

describe('the updates of a model', () => {
  const wide = { denseSize: 3, hashedSize: 1 << 12, layout: 7 };

  /** A model on cells that are restored from what others have written. */
  function restored(learner: Learner<boolean, number>, written: readonly StateChange[] = []) {
    const specs = modelCells(learner, wide);
    const cells = openCells(specs);
    for (const { cell, bucket, bytes, version } of written) if (bytes) cells[cell]?.restore(bucket, bytes, version);
    const model = openModel(learner, wide, cells);
    return {
      model,
      learn(rows: number) {
        for (let i = 0; i < rows; i++) model.learnOne(vector([i, 2, 3], [i]), i % 3 === 0, 1 + (i % 2), originAt(i, 3));
      },
      take: (isLast = false): StateChange[] =>
        Object.entries(cells).flatMap(([cell, open]) =>
          open.takeChanges({ busyMs: 0, isLast }).map((change) => ({
            ...change,
            step: 'model',
            cell,
            version: specs[cell]?.version ?? 0,
          })),
        ),
    };
  }

  it('are stored instead of the blocks that they change, and learnt again by a restore', () => {
    const lived = restored(byFtrl(0.1));
    lived.learn(20);
    const written = lived.take();
    expect(written.map(({ cell, bucket }) => `${cell}/${bucket}`)).toEqual(['update-log/0', 'update-log/1']);
    expect(written[1]?.bytes?.length).toBeLessThan(20 * 48);
    const again = restored(byFtrl(0.1), written);
    for (let i = 0; i < 30; i++)
      expect(again.model.predictOne(vector([i, 1, 1], [i]))).toBe(lived.model.predictOne(vector([i, 1, 1], [i])));
    expect(again.take(true).filter(({ bytes }) => bytes)).toEqual(lived.take(true).filter(({ bytes }) => bytes));
  });

  it('are refused by name under other settings or another revision, unless the run ended in order', () => {
    const lived = restored(byFtrl(0.1));
    lived.learn(20);
    const crashed = lived.take();
    expect(() => restored(byFtrl(0.2, 1), crashed)).toThrow(
      expect.objectContaining({
        code: 'state',
        permanent: true,
        message: expect.stringMatching(/other settings: alpha was 0.1 and is 0.2, l1 was 0 and is 1$/),
        hint: expect.stringMatching(/^run the topology once with the stored settings/),
      }),
    );
    expect(() => restored({ ...byFtrl(0.1), revision: 2 }, crashed)).toThrow(/revision was 1 and is 2/);
    const stopped = [...crashed, ...lived.take(true)];
    const kept = stopped.filter(({ cell }) => cell !== 'update-log');
    expect(stopped.filter(({ cell, bytes }) => cell === 'update-log' && bytes === null)).toHaveLength(2);
    const probe = vector([1, 2, 3], [5]);
    expect(restored(byFtrl(0.2, 1), kept).model.predictOne(probe)).not.toBe(0.5);
  });

  it('are refused by the plan of a topology with other settings', () => {
    const step = learning(byFtrl(0.1)).steps.find(({ id }) => id === 'model')?.shape as StatefulShape;
    const spec = step.cells['model-update-log'] as CellSpec;
    const lived = restored(byFtrl(0.1));
    lived.learn(1);
    const state = lived.take().map((change) => ({ ...change, cell: 'model-update-log', version: spec.version }));
    const checkpoint = { epoch: 1, incarnation: 0, topologyHash: 'x', positions: {}, settledDecisions: {} };
    const fate = (learner: Learner<boolean, number>) =>
      planState(learning(learner), [{ partition: 0, state, topics: {}, checkpoint }]).cells.find(
        ({ cell }) => cell === 'model-update-log',
      );
    expect(fate(byFtrl(0.1))).toMatchObject({ action: 'reused' });
    expect(fate(byFtrl(0.3))).toMatchObject({ action: 'refused', note: expect.stringMatching(/alpha was 0.1/) });
  });

  it('that are refused when they are learnt again are an error, since they were learnt once', () => {
    const lived = restored(byFtrl(0.1));
    lived.learn(5);
    const written = lived.take();
    const strict = byFtrl(0.1);
    const changed: Learner<boolean, number> = {
      ...strict,
      open: (cells: never, size) => {
        const logic = strict.open(cells, size);
        return {
          ...logic,
          learnOne: (row, label, weight) => (row.dense[0] === 3 ? 'too-large' : logic.learnOne(row, label, weight)),
        };
      },
    };
    expect(() => restored(changed, written).model.predictOne(vector([0, 0, 0]))).toThrow(
      expect.objectContaining({ code: 'state', where: 'contract[3]@3', message: expect.stringMatching(/too-large/) }),
    );
  });
});

describe('the state of a model', () => {
  it('is refused by the plan of a topology with another learner', () => {
    expect(planOf(learning(bySgd), learning(bySgd))).toMatchObject({ action: 'reused' });
    expect(planOf(learning(byFtrl(0.1)), learning(byFtrl(0.3)))).toMatchObject({ action: 'reused' });
    expect(planOf(learning(byFtrl(0.1)), learning(logisticRegression({ optimizer: adaGrad() })))).toMatchObject({
      action: 'refused',
      note: expect.stringMatching(/^the state belongs to another learner/),
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

describe('when a model is written whole', () => {
  it('depends on the time of its updates, not of its predictions', () => {
    let [nowMs, busyMs] = [0, 0];
    const slow: typeof bySgd = {
      ...bySgd,
      open(cells, of) {
        const logic = bySgd.open(cells, of);
        return {
          predictOne(features) {
            nowMs += 90;
            return logic.predictOne(features);
          },
          learnOne(...update) {
            nowMs += 10;
            return logic.learnOne(...update);
          },
        };
      },
    };
    const wide = { denseSize: 3, hashedSize: 4_096 };
    const state = new TaskState([], () => nowMs);
    const opened = state.open('model', modelCells(slow, wide, { replayMax: seconds(2) }));
    const model = openModel(slow, wide, opened);
    // Rows far from each other: the blocks that they change outweigh them.
    const row = (i: number) => ({ ...vector([1, 2, 3]), indices: Uint32Array.of(i * 400), values: Float32Array.of(1) });
    model.learnOne(row(0), true, 1, originAt(0));
    state.takeChanges(new Map(), true); // the first one comes earlier
    const epochs: number[] = [];
    for (let epoch = 1; epochs.length < 2; epoch++) {
      const startedMs = nowMs;
      for (let i = 0; i < 10; i++) {
        model.predictOne(row(i));
        model.learnOne(row(i), true, 1, originAt(i));
      }
      busyMs += nowMs - startedMs;
      const changes = state.takeChanges(new Map([['model', busyMs]]));
      if (changes.some(({ cell, bytes }) => cell !== 'update-log' && bytes)) epochs.push(epoch);
    }
    expect(epochs).toEqual([21, 42]);
  });
});
