import { describe, expect, it } from 'vitest';
import type { FeatureVector, Learner } from '../../../src/core/index.js';
import { adwin, type DriftDetector, ddm, hddmA, pageHinkley } from '../../../src/ml/drift/index.js';
import {
  ftrl,
  lastClass,
  lastNumber,
  linearRegression,
  logisticRegression,
  sgd,
  softmaxRegression,
} from '../../../src/ml/index.js';
import { logLossOf } from '../../../src/ml/metrics/probabilities/log-loss.js';
import { learn } from '../../../src/operators/ml/learn.js';
import { type LearnDrift, type ModelDriftRow, modelDriftColumns } from '../../../src/operators/ml/learn-with-drift.js';
import type { Learned } from '../../../src/operators/ml/learned.js';
import { type DrivenInput, driveOperator } from '../../../src/testing/drive-operator.js';
import { checkOperator } from '../../../src/testing/operator-contract.js';
import { PlainDrift, type PlainSaid } from '../../ml/plain-drift.js';
import { generator } from '../../random.js';
import {
  arriving,
  at,
  common,
  drive as driveAny,
  features,
  labelled,
  type Row,
  type Truth,
  view,
} from './late-rows.js';

const model = logisticRegression({ optimizer: ftrl({ alpha: 0.5 }) });
const operator = (drift: LearnDrift, learner: Learner<boolean, number> = model) =>
  learn(learner, { ...common, drift, baselines: { last: lastClass() } });

/** Rows whose labels come some rows later; what makes them late turns round at the changes. */
function history(rows: number, changes: readonly number[], seed = 1, delay = 4): DrivenInput[] {
  const next = generator(seed);
  const all = Array.from({ length: rows }, (_, id): Row & Truth => {
    const place = 'ABC'[Math.floor(3 * next())] as string;
    const isTurned = changes.filter((at) => id >= at).length % 2 === 1;
    const late = next() < 0.1 ? next() < 0.5 : (place === 'A') !== isTurned;
    return { id, place, size: Math.floor(10 * next()), late };
  });
  return Array.from({ length: rows + delay }, (_, i) => [
    ...(i >= delay ? [labelled(all[i - delay] as Truth, i / 60)] : []),
    ...(i < rows ? [arriving(all[i] as Row, i / 60)] : []),
  ]).flat();
}

type Emitted = Row & { late: Learned<'last'> };
function drive(...args: Parameters<typeof driveAny>) {
  const driven = driveAny(...args);
  return { ...driven, predicted: driven.of('predicted') as Emitted[], drifts: driven.of('drifts') as ModelDriftRow[] };
}

/** What should happen, with learners that are objects. */
function naive({ detector, act, compareLabels = 1_000 }: LearnDrift, arrivals: readonly DrivenInput[]) {
  const models = new PlainDrift(model, view.shape, { detector, act, compareLabels });
  const waiting = new Map<number, { readonly features: FeatureVector; readonly said: PlainSaid }>();
  const predictions: number[] = [];
  const events: string[] = [];
  const dummyLosses: number[] = [];
  for (const { input, value } of arrivals) {
    if (input === 0) {
      const { id, features } = value as Row & { features: FeatureVector };
      const said = models.predict(features);
      waiting.set(id, { features, said });
      predictions.push(said.probability);
      continue;
    }
    const { id, late } = value as Truth;
    const { features, said } = waiting.get(id) as { features: FeatureVector; said: PlainSaid };
    dummyLosses.push(logLossOf(said.dummy, late));
    events.push(...(models.learn(features, late, said) ?? []));
  }
  return { predictions, events, dummyDrifts: models.dummyDrifts, dummyLosses };
}

const detectors: Readonly<Record<string, DriftDetector>> = {
  ddm: ddm({ warmUp: 20, warningAt: 1.5, driftAt: 2.5 }),
  adwin: adwin({ delta: 0.2 }),
  hddmA: hddmA({ driftAt: 0.05, warningAt: 0.2 }),
};
const acts = ['event', 'warn', 'replace', 'reset'] as const;
const cases = Object.keys(detectors).flatMap((name) => acts.map((act) => [name, act] as const));
const driftOf = (name: string, act: LearnDrift['act']): LearnDrift => ({
  detector: detectors[name] as DriftDetector,
  act,
  compareLabels: 25,
});

describe('learn with drift', () => {
  it.each(cases)('under %s, %s: does what learners that are objects do', (name, act) => {
    let replaced = 0;
    let drifts = 0;
    for (let seed = 1; seed <= 4; seed++) {
      const arrivals = history(500, [150, 300], seed);
      const { predicted, drifts: rows, counters } = drive(operator(driftOf(name, act)), arrivals);
      const expected = naive(driftOf(name, act), arrivals);
      expect(predicted.map(({ late }) => late.probability)).toEqual(expected.predictions);
      expect(rows.map(({ event }) => event)).toEqual(expected.events);
      expect(counters.dummy_drifts ?? 0).toBe(expected.dummyDrifts);
      replaced += counters.replaced ?? 0;
      drifts += counters.drifts ?? 0;
    }
    expect(drifts).toBeGreaterThan(4);
    if (act === 'replace') expect(replaced).toBeGreaterThan(1);
    else expect(replaced).toBe(0);
  });

  it('predicts as without drift where it only tells or warns', () => {
    const arrivals = history(300, [100]);
    const plain = driveOperator(learn(model, { ...common, baselines: { last: lastClass() } }), arrivals);
    for (const act of ['event', 'warn'] as const) {
      const { predicted, measures } = drive(operator(driftOf('adwin', act)), arrivals);
      expect(predicted).toEqual(plain.emitted.map(({ value }) => value));
      const beside = measures.filter(({ name }) => name.endsWith(':challenger'));
      expect(measures.filter((measure) => !beside.includes(measure))).toEqual(plain.measures);
      expect(beside.length > 0).toBe(act === 'warn');
    }
  });

  it('says what was found, and where', () => {
    const { drifts } = drive(operator(driftOf('ddm', 'replace')), history(300, [150]));
    const found = drifts.find(({ event }) => event === 'drift') as ModelDriftRow;
    expect(found).toMatchObject({ detector: 'ddm', act: 'replace', step: 'learn', topic: 'side-1', partition: 0 });
    expect(found.statistic).toBeGreaterThan(found.threshold);
    expect(found.eventTime).toBeGreaterThan(at(150 / 60));
    const replaced = drifts.find(({ event }) => event === 'replaced') as ModelDriftRow;
    expect(replaced).toMatchObject({ labels: 25 });
    expect(replaced.statistic).toBeGreaterThan(replaced.threshold);
    expect(replaced.before).toBeCloseTo((replaced.after as number) + replaced.statistic, 12);
    expect(Object.keys(found).sort()).toEqual(Object.keys(modelDriftColumns).sort());
  });

  it('measures the dummy over all labels, by what its model had said', () => {
    const arrivals = history(400, [60]);
    const { dummyLosses } = naive(driftOf('adwin', 'reset'), arrivals);
    const { measures } = drive(operator(driftOf('adwin', 'reset')), arrivals);
    const told = measures.filter(({ name }) => name === 'log_loss:dummy');
    expect(told.length).toBeGreaterThan(4);
    const labelled = measures.filter(({ name }) => name === 'labelled').map(({ value }) => value);
    let from = 0;
    told.forEach(({ value }, window) => {
      const own = dummyLosses.slice(from, from + (labelled[window] as number));
      from += own.length;
      expect(value).toBeCloseTo(own.reduce((sum, loss) => sum + loss, 0) / own.length, 12);
    });
  });

  it.each(acts)('keeps the contract of operators when it may %s', (act) => {
    const drift: LearnDrift = { detector: ddm({ warmUp: 5, warningAt: 0.5, driftAt: 1 }), act, compareLabels: 4 };
    const arrivals = history(40, [12, 26], 3, 2);
    const { drifts } = drive(operator(drift), arrivals);
    expect(drifts.map(({ event }) => event)).toEqual(
      expect.arrayContaining(act === 'replace' ? ['drift', 'replaced'] : ['drift']),
    );
    checkOperator(operator(drift), arrivals);
  });

  it('changes nothing by a row that is refused', () => {
    const bad = (id: number, at: number): DrivenInput[] => [
      {
        input: 0,
        value: { id, place: 'A', size: 0, features: features({ id, place: 'A', size: Number.NaN }) },
        eventTimeMs: at,
      },
      { input: 1, value: { id, late: true }, eventTimeMs: at },
    ];
    const arrivals = history(60, [30]);
    const at = arrivals.at(-1)?.eventTimeMs as number;
    const more = [...arrivals, ...bad(900, at), ...bad(901, at)];
    const [a, b] = [arrivals, more].map((all) => drive(operator(driftOf('ddm', 'reset')), all));
    expect(b?.drifts).toEqual(a?.drifts);
    expect(b?.counters).toMatchObject({ refused: 2, learned: 60 });
  });

  it('watches numbers and classes, and what it is told to', () => {
    const numbers = learn(linearRegression({ optimizer: sgd({ rate: 0.05 }) }), {
      ...common,
      label: { ...common.label, value: ({ id }) => (id < 100 ? 5 : 50) },
      drift: { detector: pageHinkley({ threshold: 100 }), act: 'replace', compareLabels: 10 },
    });
    const off = drive(numbers, history(300, []));
    expect(off.counters).toMatchObject({ drifts: expect.any(Number) });
    expect(off.measures.some(({ name }) => name === 'rmse:dummy')).toBe(true);
    const classes = ['soon', 'late'] as const;
    const judged: number[] = [];
    const named = learn(softmaxRegression({ classes, optimizer: sgd({ rate: 0.5 }) }), {
      ...common,
      label: { ...common.label, value: ({ late }) => (late ? 'late' : 'soon') },
      drift: {
        detector: adwin({ delta: 0.2 }),
        act: 'reset',
        of(scores, label) {
          judged.push(scores[0] as number);
          return 1 - (scores[classes.indexOf(label)] as number);
        },
      },
    });
    const turned = drive(named, history(300, [150]));
    expect(turned.counters.drifts).toBeGreaterThan(0);
    expect(turned.measures.some(({ name }) => name === 'log_loss:dummy')).toBe(true);
    expect(judged.every((score) => score > 0 && score < 1)).toBe(true);
    checkOperator(named, history(30, [15]));
    checkOperator(numbers, history(20, []));
  });

  it('counts what the detector cannot take', () => {
    const losses = [-0.1, 0, 1, 1.1];
    let labels = 0;
    const shares = operator({ detector: hddmA(), act: 'event', of: () => losses[labels++ % 4] as number });
    expect(drive(shares, history(52, [])).counters).toMatchObject({ unwatched: 26, learned: 52 });
  });

  it('says what it cannot be', () => {
    const problems = (step: { readonly problems?: readonly { message: string }[] }) =>
      step.problems?.map(({ message }) => message);
    expect(problems(operator({ detector: adwin({ delta: 2 }), act: 'event', compareLabels: 0.5 }))).toEqual([
      'delta is 2',
      'drift.compareLabels is 0.5',
    ]);
    const minutes = learn(linearRegression({ optimizer: sgd({ rate: 0.1 }) }), {
      ...common,
      label: { ...common.label, value: ({ id }) => id },
      baselines: { dummy: lastNumber() },
      drift: { detector: ddm(), act: 'reset' },
    });
    expect(problems(minutes)).toEqual([
      'ddm takes numbers from 0 to 1, and linear-regression may be off by more',
      "a baseline 'dummy'",
    ]);
  });
});
