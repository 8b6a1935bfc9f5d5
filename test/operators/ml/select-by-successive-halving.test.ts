import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { kafka } from '../../../connectors/kafka/index.js';
import type { CellSpec, FeatureVector, Learner, StatefulShape } from '../../../src/core/index.js';
import {
  adaGrad,
  ftrl,
  lastClass,
  linearRegression,
  logisticRegression,
  pipe,
  sgd,
  softmaxRegression,
  standardScaler,
} from '../../../src/ml/index.js';
import { logLossOf } from '../../../src/ml/metrics/probabilities/log-loss.js';
import { featurize } from '../../../src/operators/index.js';
import {
  type EliminationRow,
  eliminationColumns,
  selectBySuccessiveHalving,
} from '../../../src/operators/ml/select-by-successive-halving.js';
import { json } from '../../../src/schema/index.js';
import type { DroppableCell, Float64Cell } from '../../../src/state/index.js';
import { type DrivenInput, DrivenStep } from '../../../src/testing/drive-operator.js';
import { FakeLedger } from '../../../src/testing/fake-ledger.js';
import { checkOperator } from '../../../src/testing/operator-contract.js';
import { check, planState, topology } from '../../../src/topology/index.js';
import { type PlainDrop, PlainHalving } from '../../ml/plain-halving.js';
import {
  arriving,
  at,
  common,
  drive as driveAny,
  features,
  hour,
  labelled,
  type Row,
  type Truth,
  view,
} from './late-rows.js';

const byFtrl = (alpha: number) => logisticRegression({ optimizer: ftrl({ alpha }) });
const four = { slow: byFtrl(0.01), usual: byFtrl(0.1), fast: byFtrl(0.5), wild: byFtrl(5) };
type Four = Readonly<Record<keyof typeof four, Learner<boolean, number>>>;

const select = (rungLabels: number, candidates: Four = four) =>
  selectBySuccessiveHalving(candidates, { ...common, rungLabels, baselines: { last: lastClass() } });

const row = (id: number, h = 0, size = id % 7) => arriving({ id, place: 'ABC'[id % 3] as string, size }, h);
const label = (id: number, h = 0, late = (id % 3 === 0) !== (id % 11 === 0)) => labelled({ id, late }, h);
/** Rows whose labels come some rows later. */
const stream = (rows: number, delay = 3): DrivenInput[] =>
  Array.from({ length: rows + delay }, (_, i) => [
    ...(i < rows ? [row(i, i / 60)] : []),
    ...(i >= delay ? [label(i - delay, i / 60)] : []),
  ]).flat();

interface Said {
  readonly probability: number;
  readonly candidate: keyof Four;
}
function drive(...args: Parameters<typeof driveAny>) {
  const driven = driveAny(...args);
  return {
    ...driven,
    said: (driven.of('predicted') as { late: Said }[]).map(({ late }) => late),
    eliminations: driven.of('eliminations') as EliminationRow<keyof Four>[],
  };
}

/** The same by a plain loop. */
function plain(arrivals: readonly DrivenInput[], rungLabels: number) {
  const models = new PlainHalving(four, view.shape, rungLabels);
  const waiting = new Map<number, readonly number[]>();
  const predictions: { readonly probability: number; readonly candidate: string }[] = [];
  const dropped: PlainDrop[] = [];
  for (const { input, value } of arrivals) {
    if (input === 0) {
      const { said, ...shown } = models.predict((value as { features: FeatureVector }).features);
      waiting.set((value as Row).id, said);
      predictions.push(shown);
    } else {
      const { id, late } = value as Truth;
      dropped.push(...(models.learn(features(row(id).value), late, waiting.get(id) as number[]) ?? []));
    }
  }
  return { predictions, dropped };
}

describe('selectBySuccessiveHalving', () => {
  it('says what the best so far of plain learners says, and drops the worse half as they would', () => {
    const arrivals = stream(60);
    const { said, eliminations, counters } = drive(select(10), arrivals);
    const expected = plain(arrivals, 10);
    expect(said.map(({ probability, candidate }) => ({ probability, candidate }))).toEqual(expected.predictions);
    expect(new Set(said.map(({ candidate }) => candidate)).size).toBeGreaterThan(1);
    expect(eliminations).toMatchObject(expected.dropped);
    expect(eliminations.map(({ labels }) => labels)).toEqual([10, 10, 30]);
    expect(counters).toEqual({ predicted: 60, learned: 60, eliminated: 3 });
  });

  it('says of an elimination where it happened', () => {
    const { emitted, eliminations } = drive(select(10), stream(60));
    const last = emitted.findLast(({ output }) => output === 'eliminations');
    expect(eliminations.at(-1)).toMatchObject({
      step: 'selectBySuccessiveHalving',
      topic: 'side-1',
      partition: 0,
      offset: last?.origin.offset,
      eventTime: at(32 / 60), // the label of row 29
    });
    expect(Object.keys(eliminations[0] as EliminationRow).sort()).toEqual(Object.keys(eliminationColumns).sort());
  });

  it('keeps what learn adds, and measures what records got', () => {
    const { emitted, said, measures } = drive(select(10), [...stream(60), row(99, 2)]);
    expect(emitted[0]?.value).toMatchObject({ id: 0, place: 'A', size: 0 });
    expect(said[0]).toEqual({
      probability: 0.5,
      candidate: 'slow',
      modelVersion: 'selectBySuccessiveHalving.0.0',
      baselines: { last: 0.5 },
    });
    const labelled = said.slice(0, 57); // those of the first hour
    const losses = labelled.map(({ probability }, id) => logLossOf(probability, label(id).value.late));
    const measured = Object.fromEntries(measures.map(({ name, value }) => [name, value]));
    expect(measures.find(({ name }) => name === 'labelled')?.value).toBe(57);
    expect(measures.find(({ name }) => name === 'log_loss')?.value).toBeCloseTo(
      losses.reduce((a, b) => a + b) / labelled.length,
      12,
    );
    expect(Object.keys(measured)).toContain('log_loss:last');
  });

  it('compares learners of numbers and of classes', () => {
    const minutes = selectBySuccessiveHalving(
      {
        diverges: linearRegression({ optimizer: sgd({ rate: 1_000 }) }),
        learns: pipe(standardScaler(), linearRegression({ optimizer: adaGrad({ rate: 1 }) })),
      },
      { ...common, label: { ...common.label, value: ({ id }) => id % 7 }, rungLabels: 20 },
    );
    const numbers = drive(minutes, stream(40));
    expect(numbers.eliminations).toMatchObject([{ candidate: 'diverges', best: 'learns' }]);
    expect(numbers.eliminations[0]?.loss).toBeGreaterThan(1e3);
    const classes = ['small', 'great'] as const;
    const sizes = selectBySuccessiveHalving(
      {
        idle: softmaxRegression({ classes, optimizer: sgd({ rate: 1e-9 }) }),
        quick: softmaxRegression({ classes, optimizer: sgd({ rate: 0.5 }) }),
      },
      {
        ...common,
        label: { ...common.label, value: ({ id }) => (id % 3 === 0 ? 'great' : 'small') },
        rungLabels: 20,
      },
    );
    const chosen = drive(sizes, stream(40));
    expect(chosen.eliminations).toMatchObject([{ candidate: 'idle', best: 'quick', labels: 20 }]);
    checkOperator(sizes, stream(30));
    checkOperator(minutes, stream(30));
  });

  it('lets the others learn what one refuses, and counts what all refuse', () => {
    const bounded = { ...four, slow: logisticRegression({ optimizer: ftrl({ alpha: 0.1 }), featureMax: 1 }) };
    const arrivals = [row(1, 0, 50), label(1, 0, true), row(2, 0, Number.NaN), label(2, 0, true)];
    const { counters } = drive(select(10, bounded), arrivals);
    expect(counters).toEqual({ predicted: 2, learned: 1, refused: 1, 'refused:not-finite': 1 });
    checkOperator(select(2, bounded), [...arrivals, ...stream(12)]);
  });

  it('frees the models that were dropped, in memory and in the checkpoint, also after a restore', () => {
    const ledger = new FakeLedger();
    const operator = select(10);
    const shape = operator.shape;
    const opened: Record<string, DroppableCell<Float64Cell>> = {};
    const watched = {
      ...operator,
      shape: {
        ...shape,
        open: (cells: never, context: never) => {
          Object.assign(opened, cells);
          return shape.open(cells, context);
        },
      },
    };
    /** As the last epoch of a run does: all blocks, not the updates. */
    const store = () => {
      for (const [name, { version }] of Object.entries<CellSpec>(shape.cells)) {
        const changes = opened[name]?.takeChanges({ busyMs: 0, isLast: true }) ?? [];
        ledger.store(changes.map((change) => ({ ...change, step: operator.kind, cell: name, version })));
      }
    };
    const areStored = () =>
      [0, 1, 2, 3].map((c) => [...ledger.state()].some(({ cell, bytes }) => cell === `model-${c}-weights` && bytes));
    const arrivals = stream(60);
    const survivor = Object.keys(four).indexOf(drive(operator, arrivals).said.at(-1)?.candidate ?? '');
    const isLeft = (candidate: number) => candidate === survivor;
    const step = new DrivenStep(watched);
    for (const arrival of arrivals.slice(0, 16)) step.push(arrival);
    store();
    expect(areStored()).toEqual([true, true, true, true]);
    for (const arrival of arrivals.slice(16)) step.push(arrival);
    store();
    expect(areStored()).toEqual([0, 1, 2, 3].map(isLeft));
    const areOpen = () => [0, 1, 2, 3].map((candidate) => opened[`model-${candidate}-weights`]?.isOpen);
    expect(areOpen()).toEqual([0, 1, 2, 3].map(isLeft));
    const again = new DrivenStep(watched, arrivals.length, ledger.state());
    again.push(row(200, 2));
    expect(areOpen()).toEqual([0, 1, 2, 3].map(isLeft));
  });

  const step = fc.record({ id: fc.nat(30), gap: fc.nat(hour / 4), isLabel: fc.boolean(), late: fc.boolean() });
  const history = fc.array(step, { minLength: 20, maxLength: 60 }).map((steps) => {
    let h = 0;
    return steps.map(({ id, gap, isLabel, late }) => {
      h += gap / hour;
      return isLabel ? label(id, h, late) : row(id, h);
    });
  });

  it('keeps the contract of operators: deterministic, restored anywhere, inputs untouched', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 5 }), (arrivals, rungLabels) =>
        checkOperator(select(rungLabels), arrivals),
      ),
      { numRuns: 8 },
    );
    checkOperator(select(5), stream(25));
  });

  it('describes its candidates, in their order', () => {
    expect(select(10).settings).toMatchObject({
      candidates: 'slow, usual, fast, wild',
      'candidates.fast': expect.stringContaining('logistic-regression, optimizer ftrl, alpha 0.5'),
      rungLabels: 10,
    });
  });

  it('says what it cannot be', () => {
    const problemsOf = (candidates: Record<string, Learner<boolean, number>>, rungLabels = 10) =>
      selectBySuccessiveHalving(candidates, { ...common, rungLabels }).problems?.map(({ message }) => message);
    expect(problemsOf(four)).toEqual([]);
    expect(problemsOf({})).toEqual(['there are no candidates']);
    expect(problemsOf({ one: byFtrl(1) })).toEqual(['there is one candidate']);
    expect(problemsOf({ one: byFtrl(1), two: linearRegression({ optimizer: sgd({ rate: 1 }) }) as never })).toEqual([
      'two and one do not predict the same kind of labels',
    ]);
    expect(problemsOf(four, 1)).toEqual([]);
    expect([0, 0.5].flatMap((labels) => problemsOf(four, labels))).toEqual(['rungLabels is 0', 'rungLabels is 0.5']);
  });

  describe('in a topology', () => {
    const selecting = (candidates: Record<string, Learner<boolean, number>>) =>
      topology('selecting', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
        const labels = t.source('labels', kafka.source({ topic: 'labels', schema: json<Truth>() }));
        const { predicted, eliminations } = t
          .source('rows', kafka.source({ topic: 'rows', schema: json<Row>() }))
          .via('features', featurize(view))
          .split('model', { labels }, selectBySuccessiveHalving(candidates, { ...common, rungLabels: 10 }));
        predicted.to('out', kafka.sink({ topic: 'out', schema: json<unknown>() }));
        eliminations.to(
          'eliminations',
          clickhouse.tableSink({ table: 'eliminations', columns: eliminationColumns, orderBy: ['eventTime'] }),
        );
      });
    const checkpoint = { epoch: 1, incarnation: 0, topologyHash: 'x', positions: {}, settledDecisions: {} };

    it('has no problems, and its plan refuses the state of other candidates', () => {
      expect(check(selecting(four))).toEqual([]);
      const shape = selecting(four).steps.find(({ id }) => id === 'model')?.shape as StatefulShape;
      const spec = shape.cells['model-0-weights'] as CellSpec<DroppableCell<Float64Cell>>;
      const cell = spec.open();
      cell.content.touch(0);
      const state = cell
        .takeChanges()
        .map((change) => ({ ...change, step: 'model', cell: 'model-0-weights', version: spec.version }));
      const planOf = (candidates: Record<string, Learner<boolean, number>>) =>
        planState(selecting(candidates), [{ partition: 0, state, topics: {}, checkpoint }]).cells.find(
          ({ cell: name }) => name === 'model-0-weights',
        );
      const refused = { action: 'refused', note: expect.stringMatching(/^the state belongs to another learner/) };
      expect(planOf({ ...four })).toMatchObject({ action: 'reused' });
      expect(planOf({ ...four, wild: byFtrl(7) })).toMatchObject({ action: 'reused' });
      expect(planOf({ ...four, more: byFtrl(7) })).toMatchObject(refused);
      expect(planOf({ ...four, wild: logisticRegression({ optimizer: adaGrad() }) })).toMatchObject(refused);
      const { slow, usual, ...others } = four;
      expect(planOf({ usual, slow, ...others })).toMatchObject(refused);
    });
  });
});
