import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { days, type FeatureVector, type Learner, millis } from '../../../src/core/index.js';
import { featureView, numeric } from '../../../src/ml/features/index.js';
import { halfSpaceTrees, logisticRegression, pipe, sgd } from '../../../src/ml/index.js';
import { type Anomaly, detectAnomalies } from '../../../src/operators/ml/detect-anomalies.js';
import { type DrivenInput, driveOperator } from '../../../src/testing/drive-operator.js';
import { checkOperator } from '../../../src/testing/operator-contract.js';
import { openLearner } from '../../ml/support.js';

interface Row {
  readonly x: number;
  readonly y: number;
}

const view = featureView({
  name: 'rows',
  version: 1,
  columns: { x: (row: Row) => row.x, y: (row: Row) => row.y },
  features: { x: numeric('x'), y: numeric('y') },
});
const WINDOW = 20;
const trees = halfSpaceTrees({ trees: 10, height: 5, window: WINDOW });
const all = { as: 'anomaly', view } as const;
const operator = detectAnomalies(trees, { ...all, learnBelowQuantile: 0.9 });

const hour = 3_600_000;
const at = (h: number) => days(400) + h * hour;
const features = (row: Row): FeatureVector => view.open().vector(row);
const arrival = (row: Row, h = 0): DrivenInput => ({ value: { ...row, features: features(row) }, eventTimeMs: at(h) });
const usual = (i: number): Row => ({ x: 0.3 + ((i * 7) % 10) / 100, y: 0.6 + ((i * 3) % 10) / 100 });
const usualRows = (count: number) => Array.from({ length: count }, (_, i) => usual(i));
const drive = (step: Parameters<typeof driveOperator>[0], rows: readonly DrivenInput[]) => {
  const driven = driveOperator(step, rows);
  if (driven.failure) throw new Error(driven.failure);
  return { ...driven, said: driven.emitted.map(({ value }) => (value as { anomaly: Anomaly }).anomaly) };
};

describe('detectAnomalies', () => {
  it('scores each record first and learns from it after, as a plain loop does', () => {
    const rows = usualRows(70);
    const plain = openLearner(trees, view.shape);
    const expected = rows.map((row) => {
      const score = plain.predictOne(features(row));
      plain.learnOne(features(row), undefined);
      return score;
    });
    const { said, emitted, counters } = drive(
      detectAnomalies(trees, { ...all, versionEveryRecords: 50 }),
      rows.map((row) => arrival(row)),
    );
    expect(said.map(({ score }) => score)).toEqual(expected);
    expect(said[50]).toEqual({ score: expected[50], modelVersion: 'detectAnomalies.0.50' });
    expect(said[49]?.modelVersion).toBe('detectAnomalies.0.0');
    expect(emitted[3]?.value).toMatchObject(usual(3));
    expect(counters).toEqual({ predicted: 70, learned: 70 });
  });

  it('marks the highest scores and keeps them out of training', () => {
    const odd = { x: 0.95, y: 0.05 };
    const before = usualRows(6 * WINDOW);
    // An attack of three windows: learnt, it is usual in the end.
    const attack = Array.from({ length: 3 * WINDOW }, (_, i) => (i % 2 === 0 ? odd : usual(i)));
    const rows = [...before, ...attack].map((row) => arrival(row));
    const lastOdd = before.length + attack.length - 2;
    const guarded = drive(detectAnomalies(trees, { ...all, learnBelowQuantile: 0.7 }), rows);
    const open = drive(detectAnomalies(trees, all), rows);
    expect(guarded.said[before.length]).toMatchObject({ anomalous: true });
    expect(guarded.said[lastOdd]?.anomalous).toBe(true);
    expect(guarded.said[lastOdd]?.score).toBeGreaterThan((open.said[lastOdd]?.score as number) + 0.1);
    const marked = guarded.said.filter(({ anomalous }) => anomalous).length;
    expect(guarded.counters).toEqual({ predicted: rows.length, learned: rows.length - marked, anomalous: marked });
  });

  it('marks nothing before the learner and the quantile know enough', () => {
    const rows = usualRows(WINDOW + 9).map((row) => arrival(row));
    const odd = arrival({ x: 0.95, y: 0.05 });
    expect(drive(operator, [...rows, odd]).said.some(({ anomalous }) => anomalous)).toBe(false);
    expect(drive(operator, [...rows, arrival(usual(1)), odd]).said.at(-1)?.anomalous).toBe(true);
  });

  it('measures each window of event time, from the first score on', () => {
    const rows = [
      ...usualRows(WINDOW).map((row) => arrival(row, 0.1)),
      ...usualRows(40).map((row) => arrival(row, 0.5)),
      arrival({ x: 0.95, y: 0.05 }, 0.9),
      arrival(usual(1), 1.5),
    ];
    const { said, measures } = drive(operator, rows);
    const scores = said.slice(WINDOW, -1).map(({ score }) => score);
    const at1 = { eventTimeMs: at(1), version: 'detectAnomalies.0.0' };
    expect(measures).toEqual([
      { name: 'scored', value: 41, ...at1, weight: 'sum' },
      { name: 'score_mean', value: scores.reduce((sum, score) => sum + score, 0) / 41, ...at1, weight: 41 },
      {
        name: 'anomalous',
        value: said.slice(0, -1).filter(({ anomalous }) => anomalous).length,
        ...at1,
        weight: 'sum',
      },
    ]);
    expect(said.at(-2)?.anomalous).toBe(true);
    expect(drive(detectAnomalies(trees, all), rows).measures.map(({ name }) => name)).toEqual(['scored', 'score_mean']);
  });

  it('counts records that the learner refuses, which change nothing', () => {
    const rows = usualRows(30).map((row) => arrival(row));
    const broken = arrival({ x: Number.NaN, y: 0.5 });
    const { counters, said } = drive(detectAnomalies(trees, all), [...rows, broken, arrival(usual(2))]);
    expect(counters).toMatchObject({ learned: 31, refused: 1, 'refused:not-finite': 1 });
    expect(said.at(-1)).toEqual(drive(detectAnomalies(trees, all), [...rows, arrival(usual(2))]).said.at(-1));
  });

  it('keeps the contract of operators: deterministic, restored anywhere, inputs untouched', () => {
    const small = detectAnomalies(pipe(halfSpaceTrees({ trees: 3, height: 3, window: 4 })), {
      ...all,
      learnBelowQuantile: 0.6,
      versionEveryRecords: 3,
    });
    const rows = fc.array(
      fc.record({ x: fc.integer({ min: 0, max: 10 }), y: fc.integer({ min: 0, max: 10 }), gap: fc.nat(hour) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, (history) => {
        let h = 0;
        checkOperator(
          small,
          history.map(({ x, y, gap }) => {
            h += gap / hour;
            return arrival({ x: x / 10, y: y / 10 }, h);
          }),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('refuses features of another view, and says which option is out of range', () => {
    const value = { x: 0, y: 0, features: { ...features({ x: 0, y: 0 }), hash: 'x' } };
    expect(() => drive(operator, [{ value }])).toThrow('the features are of view rows x');
    const wrong = detectAnomalies(logisticRegression({ optimizer: sgd({ rate: 1 }) }) as Learner<unknown, number>, {
      ...all,
      learnBelowQuantile: 1,
      metricsInterval: millis(0),
      versionEveryRecords: 0,
    });
    expect(wrong.problems?.map(({ message }) => message)).toEqual([
      "logistic-regression gives 'probability', and detectAnomalies needs 'anomaly'",
      'metricsInterval is 0 ms',
      'versionEveryRecords is 0',
      'learnBelowQuantile is 1',
    ]);
  });
});
