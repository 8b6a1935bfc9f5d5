import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { type CellSpec, type FeatureVector, hours, type StatefulShape } from '../../../src/core/index.js';
import { cyclic, featureView } from '../../../src/ml/features/index.js';
import {
  ftrl,
  lastClass,
  lastNumber,
  linearRegression,
  logisticRegression,
  majority,
  meanBy,
  rateBy,
  sgd,
  softmaxRegression,
} from '../../../src/ml/index.js';
import { logLossOf } from '../../../src/ml/metrics/probabilities/log-loss.js';
import { learn } from '../../../src/operators/ml/learn.js';
import type { Learned, LearnedClass, LearnedNumber } from '../../../src/operators/ml/learned.js';
import { arenaCell } from '../../../src/state/index.js';
import { driveOperator } from '../../../src/testing/drive-operator.js';
import { checkOperator } from '../../../src/testing/operator-contract.js';
import { openLearner } from '../../ml/support.js';
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

type Emitted = Row & { features: FeatureVector; late: Learned<'rate' | 'last'> };

const model = logisticRegression({ optimizer: ftrl({ alpha: 0.5 }) });

const operator = (options: { pendingMax?: number; versionEveryLabels?: number } = {}) =>
  learn(model, {
    ...common,
    baselines: { rate: rateBy({ by: (row: Row) => row.place }), last: lastClass() },
    ...options,
  });

const row = (id: number, h: number, place = 'A', size = 1) => arriving({ id, place, size }, h);
const label = (id: number, h: number, late: boolean) => labelled({ id, late }, h);
const drive = (...args: Parameters<typeof driveAny>) => {
  const driven = driveAny(...args);
  return { ...driven, emitted: driven.emitted.map(({ value }) => value as Emitted) };
};

describe('learn', () => {
  it('predicts at once, keeps every field, and learns only when the label arrives', () => {
    const { emitted, counters } = drive(operator(), [row(1, 0), row(2, 0.1), label(1, 1, true), row(3, 1.1)]);
    const [first, second, third] = emitted;
    expect(first).toMatchObject({ id: 1, place: 'A', size: 1 });
    expect(first?.late).toEqual({ probability: 0.5, modelVersion: 'learn.0.0', baselines: { rate: 0.5, last: 0.5 } });
    expect(second?.late.probability).toBe(0.5);
    expect(third?.late.probability).toBeGreaterThan(0.5);
    expect(third?.late.baselines).toEqual({ rate: 2 / 3, last: 1 });
    expect(counters).toEqual({ predicted: 3, learned: 1 });
  });

  it('learns what a plain loop in the order of the labels learns', () => {
    const rows = Array.from({ length: 50 }, (_, id) => ({ id, place: 'ABC'[id % 3] as string, size: id % 7 }));
    const truths = rows
      .map(({ id }) => ({ id, late: (id * 7) % 3 === 0 }))
      .sort((a, b) => ((a.id * 13) % 50) - ((b.id * 13) % 50));
    const arrivals = [
      ...rows.map(({ id, place, size }) => row(id, 0, place, size)),
      ...truths.map(({ id, late }) => label(id, 1, late)),
      row(99, 2, 'B', 3),
    ];
    const plain = openLearner(model, view.shape);
    for (const { id, late } of truths) plain.learnOne(features(rows[id] as Row), late);
    const last = drive(operator(), arrivals).emitted.at(-1);
    expect(last?.late.probability).toBe(plain.predictOne(features({ id: 99, place: 'B', size: 3 })));
  });

  it('measures each hour by the predictions that were made, beside the baselines', () => {
    const arrivals = [
      row(1, 0),
      row(2, 0.1),
      label(1, 0.5, true),
      row(3, 0.6),
      label(2, 1.1, false),
      label(3, 1.2, true),
      row(4, 2),
    ];
    const driven = drive(operator(), arrivals);
    const third = (driven.emitted[2] as Emitted).late;
    const measured = new Map(
      driven.measures.map(({ name, value, eventTimeMs }) => [`${(eventTimeMs - at(0)) / hour} ${name}`, value]),
    );
    expect(measured.get('1 labelled')).toBe(1);
    expect(measured.get('1 log_loss')).toBeCloseTo(Math.LN2, 12);
    expect(measured.has('1 roc_auc')).toBe(false); // only one class
    expect(measured.get('2 labelled')).toBe(2);
    expect(measured.get('2 positives')).toBe(1);
    expect(measured.get('2 log_loss')).toBeCloseTo((Math.LN2 + logLossOf(third.probability, true)) / 2, 12);
    expect(measured.get('2 roc_auc')).toBe(1);
    expect(measured.get('2 accuracy')).toBe(1);
    expect(measured.get('2 log_loss:rate')).toBeCloseTo((Math.LN2 + logLossOf(2 / 3, true)) / 2, 12);
    expect(measured.get('2 roc_auc:last')).toBe(1);
    const weights = driven.measures.flatMap(({ name, eventTimeMs, weight }) =>
      eventTimeMs === at(0) + 2 * hour ? [[name, weight]] : [],
    );
    expect(weights).toEqual(
      expect.arrayContaining([
        ['labelled', 'sum'],
        ['positives', 'sum'],
        ['log_loss', 2],
        ['accuracy', 2],
      ]),
    );
  });

  it('counts labels that find no row, come twice or too late, and rows without labels', () => {
    const arrivals = [
      row(1, 0),
      label(7, 0.5, true),
      label(1, 1, true),
      label(1, 1.1, false),
      row(2, 2),
      row(3, 20),
      label(2, 20, true),
      label(1, 20, true), // forgotten that it was learnt
    ];
    expect(drive(operator(), arrivals).counters).toEqual({
      predicted: 3,
      learned: 1,
      unmatched: 3,
      duplicate_labels: 1,
      expired: 1,
    });
  });

  it('keeps no more rows waiting than it was told', () => {
    const { counters } = drive(operator({ pendingMax: 2 }), [
      row(1, 0),
      row(2, 0),
      row(3, 0),
      label(1, 1, true),
      label(3, 1, true),
    ]);
    expect(counters).toEqual({ predicted: 3, learned: 1, unmatched: 1, pending_evicted: 1 });
  });

  it('counts rows that the learner refused, which change nothing', () => {
    const { counters, emitted } = drive(operator(), [row(1, 0, 'A', Number.NaN), label(1, 1, true), row(2, 2)]);
    expect(counters).toEqual({ predicted: 2, refused: 1, 'refused:not-finite': 1 });
    expect(emitted.map(({ late }) => late.probability)).toEqual([0.5, 0.5]);
  });

  it('takes the weight of a label', () => {
    const weighted = (weight: number) =>
      learn(model, {
        as: 'late',
        view,
        key: (row: Row) => row.id,
        label: { key: (truth: Truth) => truth.id, value: (truth) => truth.late, weight: () => weight, wait: hours(3) },
        pendingMax: 100,
      });
    const arrivals = [row(1, 0), label(1, 1, true), row(2, 2)];
    const [light, heavy] = [0.5, 2].map((weight) => drive(weighted(weight), arrivals).emitted[1]?.late.probability);
    expect(heavy).toBeGreaterThan(light as number);
    expect(drive(weighted(0), arrivals).counters).toMatchObject({ refused: 1, 'refused:unusable-weight': 1 });
  });

  it('predicts numbers and measures how far off they are', () => {
    const operator = learn(linearRegression({ optimizer: sgd({ rate: 0.1 }) }), {
      as: 'minutes',
      view,
      key: (row: Row) => row.id,
      label: {
        key: (told: { id: number; minutes: number }) => told.id,
        value: (told) => told.minutes,
        wait: hours(3),
      },
      pendingMax: 100,
      baselines: { mean: meanBy({ by: (row: Row) => row.place }), last: lastNumber() },
    });
    const told = (id: number, h: number, minutes: number) => ({ ...label(id, h, true), value: { id, minutes } });
    const driven = driveOperator(operator, [
      row(1, 0),
      row(2, 0.1),
      told(1, 0.2, 8),
      told(2, 0.3, Number.NaN),
      told(2, 0.35, 1e308),
      row(3, 0.4),
      row(4, 2),
    ]);
    const said = driven.emitted.map(({ value }) => (value as { minutes: LearnedNumber }).minutes);
    expect(said[0]).toEqual({ value: 0, modelVersion: 'learn.0.0', baselines: { mean: 0, last: 0 } });
    expect(said[2]?.value).toBeGreaterThan(0);
    expect(said[2]?.baselines).toEqual({ mean: 8, last: 8 });
    expect(driven.counters).toEqual({ predicted: 4, learned: 1, refused: 2, 'refused:unusable-label': 2 });
    const measured = Object.fromEntries(driven.measures.map(({ name, value }) => [name, value]));
    expect(measured).toMatchObject({ labelled: 1, label_mean: 8, mae: 8, rmse: 8, 'mae:mean': 8, 'rmse:last': 8 });
  });

  it('tells baselines the labels that the model learns, and no others', () => {
    const operator = learn(logisticRegression({ optimizer: sgd({ rate: 0.5 }) }), {
      as: 'late',
      view,
      key: (row: Row) => row.id,
      label: {
        key: (told: { id: number; late: boolean; counts: number }) => told.id,
        value: (told) => told.late,
        wait: hours(1),
        weight: ({ counts }) => counts,
      },
      pendingMax: 100,
      baselines: { last: lastClass() },
    });
    const told = (id: number, h: number, late: boolean, counts: number) => ({
      ...label(id, h, true),
      value: { id, late, counts },
    });
    const driven = driveOperator(operator, [
      row(1, 0),
      row(2, 0.1),
      told(1, 0.2, true, 1),
      told(2, 0.3, false, 0),
      row(3, 0.4),
      told(3, 0.5, false, 1e308),
    ]);
    expect(driven.counters).toMatchObject({ learned: 1, 'refused:unusable-weight': 2 });
    expect(driven.emitted[2]?.value).toMatchObject({ late: { baselines: { last: 1 } } });
  });

  it('waits on after a label that is no use', () => {
    const operator = learn(logisticRegression({ optimizer: sgd({ rate: 0.5 }) }), {
      as: 'late',
      view,
      key: (row: Row) => row.id,
      label: { key: (told: { id: number; late: boolean }) => told.id, value: (told) => told.late, wait: hours(1) },
      pendingMax: 100,
    });
    const told = (h: number, late: boolean | null) => ({ ...label(1, h, true), value: { id: 1, late } });
    const driven = driveOperator(operator, [row(1, 0), told(0.1, null), told(0.2, true), told(0.3, null)] as never);
    expect(driven.counters).toEqual({
      ...{ predicted: 1, learned: 1, refused: 1, 'refused:unusable-label': 1 },
      ...{ duplicate_labels: 1 },
    });
  });

  it('predicts classes and measures how often they are right', () => {
    const classes = ['bus', 'tram', 'train'] as const;
    type Means = (typeof classes)[number];
    const operator = learn(softmaxRegression({ classes, optimizer: sgd({ rate: 0.5 }) }), {
      as: 'means',
      view,
      key: (row: Row) => row.id,
      label: { key: (told: { id: number; means: Means }) => told.id, value: (told) => told.means, wait: hours(3) },
      pendingMax: 100,
      baselines: { majority: majority(), last: lastClass() },
    });
    const told = (id: number, h: number, means: string) => ({ ...label(id, h, true), value: { id, means } });
    const driven = driveOperator(operator, [
      row(1, 0),
      told(1, 0.2, 'tram'),
      row(2, 0.4),
      told(2, 0.5, 'boat'),
      row(3, 0.6),
      told(3, 0.7, 'tram'),
      row(4, 2),
    ]);
    const said = driven.emitted.map(({ value }) => (value as { means: LearnedClass<Means> }).means);
    expect(said[0]).toMatchObject({ label: 'bus', baselines: { majority: 'bus', last: 'bus' } });
    expect(said[1]).toMatchObject({ label: 'tram', baselines: { majority: 'tram', last: 'tram' } });
    const { bus, tram, train } = said[1]?.scores ?? { bus: 0, tram: 0, train: 0 };
    expect(tram).toBeGreaterThan(bus);
    expect(bus + tram + train).toBeCloseTo(1, 12);
    expect(driven.counters).toEqual({ predicted: 4, learned: 2, refused: 1, 'refused:unknown-class': 1 });
    const measured = Object.fromEntries(driven.measures.map(({ name, value }) => [name, value]));
    expect(measured).toMatchObject({ labelled: 2, accuracy: 0.5, 'accuracy:majority': 0.5, 'macro_f1:last': 1 / 3 });
    expectTypeOf<LearnedClass<Means>['scores']>().toEqualTypeOf<{ readonly [P in Means]: number }>();
    checkOperator(operator, [row(1, 0), told(1, 0.2, 'tram'), row(2, 0.4), told(2, 0.5, 'train'), row(3, 2)]);
  });

  const step = fc.record({
    id: fc.nat(9),
    gap: fc.integer({ min: 0, max: hour }),
    isLabel: fc.boolean(),
    late: fc.boolean(),
    size: fc.nat(5),
  });
  const history = fc.array(step, { maxLength: 40 }).map((steps) => {
    let h = 0;
    return steps.map(({ id, gap, isLabel, late, size }) => {
      h += gap / hour;
      return isLabel ? label(id, h, late) : row(id, h, 'AB'[id % 2], size);
    });
  });

  describe('by key', () => {
    const byPlace = (modelsMax: number, learner = model) =>
      learn(learner, {
        as: 'late',
        view,
        key: (row: Row) => row.id,
        label: { key: (truth: Truth) => truth.id, value: (truth) => truth.late, wait: hours(3) },
        pendingMax: 100,
        by: { key: (row) => row.place, modelsMax },
        baselines: { rate: rateBy({ by: (row: Row) => row.place }) },
      });

    it('has a model for each, which begins as the pooled one is at the first label of its key', () => {
      const arrivals = [
        row(1, 0, 'A'),
        label(1, 0.1, true),
        row(2, 0.2, 'B'), // the pooled model answers
        label(2, 0.3, false),
        row(3, 0.4, 'A'),
        row(4, 0.4, 'B'),
        row(5, 0.4, 'C'),
      ];
      const [a, pooled] = [openLearner(model, view.shape), openLearner(model, view.shape)];
      const of = (id: number, place: string) => features({ id, place, size: 1 });
      for (const one of [a, pooled]) one.learnOne(of(1, 'A'), true);
      const said = drive(byPlace(10), arrivals).emitted.map(({ late }) => late.probability);
      expect(said.slice(0, 3)).toEqual([0.5, pooled.predictOne(of(2, 'B')), a.predictOne(of(3, 'A'))]);
      pooled.learnOne(of(2, 'B'), false);
      expect(said.slice(3)).toEqual([pooled.predictOne(of(4, 'B')), pooled.predictOne(of(5, 'C'))]);
      expect(said[2]).not.toBe(pooled.predictOne(of(3, 'A')));
    });

    it('drops the model that learned least recently', () => {
      const places = ['A', 'B', 'A', 'C', 'B'];
      const arrivals = places.flatMap((place, id) => [row(id, 0, place), label(id, 0, true)]);
      expect(drive(byPlace(2), arrivals).counters).toEqual({ predicted: 5, learned: 5, models_evicted: 2 });
    });

    it('keeps the contract of operators', () => {
      fc.assert(
        fc.property(history, (arrivals) => checkOperator(byPlace(1), arrivals)),
        { numRuns: 20 },
      );
    });

    it('says what it cannot be', () => {
      const grows = { ...model, kind: 'tree', cells: () => ({ nodes: arenaCell({ width: 2, recordsMax: 9 }) }) };
      const problemsOf = (step: ReturnType<typeof byPlace>) => step.problems?.map(({ message }) => message);
      expect(problemsOf(byPlace(9, grows as never))).toEqual(['tree grows, and a model for each key must not']);
      expect(problemsOf(byPlace(0))).toEqual(['by.modelsMax is 0']);
      expect(problemsOf(byPlace(1e7))).toEqual(['10000000 models of 133 numbers take 10 GiB']);
    });
  });

  it('refuses a learner without labels', () => {
    const clusters = { ...model, kind: 'clusters', output: 'distances' as const };
    const { problems } = learn(clusters, {
      as: 'late',
      view,
      key: (row: Row) => row.id,
      label: { key: (truth: Truth) => truth.id, value: (truth) => truth.late, wait: hours(3) },
      pendingMax: 100,
    });
    expect(problems?.[0]?.message).toBe("clusters gives 'distances' and learns without labels");
  });

  it('names the model by the labels it has learnt', () => {
    const arrivals = Array.from({ length: 5 }, (_, id) => [row(id, 0), label(id, 0, true)]).flat();
    const versions = drive(operator({ versionEveryLabels: 2 }), arrivals).emitted.map(({ late }) => late.modelVersion);
    expect(versions).toEqual(['learn.0.0', 'learn.0.0', 'learn.0.2', 'learn.0.2', 'learn.0.4']);
  });

  it('is not carried away by one absurd time', () => {
    const arrivals = [
      row(1, 0),
      row(2, 0.1),
      { ...row(3, 0.2), eventTimeMs: Date.UTC(2190, 0) },
      label(1, 0.3, true),
      row(4, 0.4),
      label(2, 0.5, true),
    ];
    expect(drive(operator(), arrivals).counters).toEqual({ predicted: 4, learned: 2 });
  });

  it('refuses features of another view', () => {
    const other = { ...row(1, 0) };
    const value = other.value as { features: FeatureVector };
    expect(() =>
      drive(operator(), [{ ...other, value: { ...value, features: { ...value.features, hash: 'x' } } }]),
    ).toThrow('the features are of view rows x');
  });

  it('says which option is out of range', () => {
    expect(operator({ pendingMax: 0, versionEveryLabels: 0 }).problems?.map(({ message }) => message)).toEqual([
      'pendingMax is 0',
      'versionEveryLabels is 0',
    ]);
  });

  it('keeps the contract of operators: deterministic, restored anywhere, inputs untouched', () => {
    fc.assert(
      fc.property(history, (arrivals) => checkOperator(operator({ pendingMax: 4, versionEveryLabels: 3 }), arrivals)),
      { numRuns: 20 },
    );
  });

  it('never lets a prediction depend on what comes after it', () => {
    fc.assert(
      fc.property(history, history, (past, future) => {
        const shift = past.at(-1)?.eventTimeMs ?? 0;
        const after = future.map((arrival) => ({ ...arrival, eventTimeMs: arrival.eventTimeMs - at(0) + shift }));
        const { emitted } = drive(operator(), past);
        expect(drive(operator(), [...past, ...after]).emitted.slice(0, emitted.length)).toEqual(emitted);
      }),
    );
  });

  it('names baselines in the type of what it adds', () => {
    expectTypeOf<Learned<'rate'>['baselines']>().toEqualTypeOf<{ readonly rate: number }>();
  });
});

it('refuses a model and waiting rows that were made with another view', async () => {
  const viewOf = (period: number) =>
    featureView({
      name: 'v',
      version: 1,
      columns: { hour: (row: { readonly hour: number }) => row.hour },
      features: { hour: cyclic('hour', period) },
    });
  const cellsWith = (period: number) =>
    (
      learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), {
        as: 'late',
        view: viewOf(period),
        key: (row: { readonly id: number }) => row.id,
        label: { key: (l: { readonly id: number }) => l.id, value: () => true, wait: hours(1) },
        pendingMax: 10,
      }).shape as StatefulShape
    ).cells;
  const versions = (period: number) =>
    ['model-weights', 'model-updates', 'pending'].map((cell) => cellsWith(period)[cell]?.version);
  expect(versions(24)).toEqual(versions(24));
  for (const [i, version] of versions(24).entries()) expect(version).not.toBe(versions(12)[i]);
  const model = cellsWith(24)['model-weights'] as CellSpec;
  const other = (cellsWith(12)['model-weights'] as CellSpec).open();
  const bytes = new Uint8Array(8 * 16 + 1);
  expect(() => other.restore(0, bytes, model.version)).toThrow(expect.objectContaining({ code: 'state' }));
});
