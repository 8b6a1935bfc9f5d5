import { describe, expect, it } from 'vitest';
import { hours } from '../../../src/core/index.js';
import { ddm, hddmA } from '../../../src/ml/drift/index.js';
import { addEstimate, emptyPerformance, performanceOf } from '../../../src/ml/evaluation/performance-estimate.js';
import { isotonic, platt } from '../../../src/ml/index.js';
import { logLossOf } from '../../../src/ml/metrics/probabilities/log-loss.js';
import {
  type EstimatePerformanceOptions,
  estimatePerformance,
  type PerformanceRow,
  performanceColumns,
} from '../../../src/operators/ml/estimate-performance.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../../src/testing/operator-contract.js';
import { generator } from '../../random.js';

interface Prediction {
  readonly id: number;
  readonly p: number;
}
interface Label {
  readonly id: number;
  readonly late: boolean;
}

const hour = 3_600_000;
const base = {
  prediction: { key: (row: Prediction) => row.id, value: (row: Prediction) => row.p },
  label: { key: (row: Label) => row.id, value: (row: Label) => row.late },
  wait: hours(3),
  every: hours(1),
  pendingMax: 10_000,
  distrustLabels: 200,
} as const;
const operatorOf = (more: Partial<EstimatePerformanceOptions<Prediction, Label>> = {}) =>
  estimatePerformance<Prediction, Label>({ ...base, ...more });

/** Predictions that are too sure: what they say of is true less often. Labels come some time later, in the order of the predictions. */
function history(
  rows: number,
  hoursLong: number,
  { delayMs = hour / 2, changeAt = Number.POSITIVE_INFINITY, labelled = 1, seed = 1 } = {},
): DrivenInput[] {
  const next = generator(seed);
  const all = Array.from({ length: rows }, (_, id) => {
    const timeMs = Math.floor((id / rows) * hoursLong * hour);
    // On the middle of a bin, so that the ROC AUC of bins is exact.
    const p = (Math.floor(256 * next()) + 0.5) / 256;
    const truth = 0.25 + 0.5 * p;
    const late = next() < (timeMs < changeAt * hour ? truth : truth / 3);
    return { id, p, late, timeMs, hasLabel: next() < labelled };
  });
  return [
    ...all.map(({ id, p, timeMs }) => ({ input: 0, value: { id, p }, eventTimeMs: timeMs })),
    ...all
      .filter(({ hasLabel }) => hasLabel)
      .map(({ id, late, timeMs }) => ({ input: 1, value: { id, late }, eventTimeMs: timeMs + delayMs })),
  ].sort((a, b) => a.eventTimeMs - b.eventTimeMs || a.input - b.input);
}

const rowsOf = (operator: Parameters<typeof driveOperator>[0], inputs: readonly DrivenInput[]) => {
  const { emitted, failure, ...rest } = driveOperator(operator, inputs, { final: true });
  expect(failure).toBeUndefined();
  return { ...rest, rows: emitted.map(({ value }) => value as PerformanceRow) };
};

/** The area under the curve by all pairs; a row may be true in part. */
function aucOf(rows: readonly { p: number; isTrue: number }[]): number {
  let [wins, pairs] = [0, 0];
  for (const a of rows)
    for (const b of rows) {
      const weight = a.isTrue * (1 - b.isTrue);
      pairs += weight;
      wins += weight * (a.p > b.p ? 1 : a.p === b.p ? 0.5 : 0);
    }
  return wins / pairs;
}

/** What should be known of a window, by loops over its rows. */
function metricsOf(rows: readonly { p: number; isTrue: number }[], threshold: number) {
  const sum = (of: (row: { p: number; isTrue: number }) => number) => rows.reduce((all, row) => all + of(row), 0);
  const claims = sum(({ p }) => Number(p > threshold));
  const hits = sum(({ p, isTrue }) => (p > threshold ? isTrue : 0));
  return {
    logLoss: sum(({ p, isTrue }) => isTrue * logLossOf(p, true) + (1 - isTrue) * logLossOf(p, false)) / rows.length,
    accuracy: sum(({ p, isTrue }) => (p > threshold ? isTrue : 1 - isTrue)) / rows.length,
    precision: claims > 0 ? hits / claims : null,
    recall: hits / sum(({ isTrue }) => isTrue),
    rocAuc: aucOf(rows),
  };
}

describe('estimatePerformance', () => {
  it.each([0.5, 0.3])('expects what the calibrated probabilities say, and tells what came, at %d', (threshold) => {
    const inputs = history(400, 4, { labelled: 0.8 });
    const { rows, counters } = rowsOf(operatorOf({ threshold }), inputs);
    // By a loop: predictions with what the calibrator knew by then.
    const { calibrate, learn } = isotonic().open(new Float64Array(60));
    const said = new Map<number, { window: number; p: number; isTrue: number; label?: boolean }>();
    for (const { input, value, eventTimeMs = 0 } of inputs) {
      if (input === 0) {
        const { id, p } = value as Prediction;
        said.set(id, { window: Math.floor(eventTimeMs / hour), p, isTrue: calibrate(p) });
        continue;
      }
      const { id, late } = value as Label;
      const row = said.get(id) as { p: number; label?: boolean };
      row.label = late;
      learn(row.p, late, 1);
    }
    const all = [...said.values()];
    for (const window of [0, 1, 2, 3]) {
      const [estimate, final] = rows.filter(({ startMs }) => startMs === window * hour) as [
        PerformanceRow,
        PerformanceRow,
      ];
      const own = all.filter((row) => row.window === window);
      const expected = metricsOf(own, threshold);
      for (const row of [estimate, final]) {
        expect(row.predicted).toBe(own.length);
        expect(row.expectedRocAuc).toBeCloseTo(expected.rocAuc, 10);
        expect(row.expectedLogLoss).toBeCloseTo(expected.logLoss, 10);
        expect(row.expectedAccuracy).toBeCloseTo(expected.accuracy, 10);
        expect(row.expectedPrecision).toBeCloseTo(expected.precision as number, 10);
        expect(row.expectedRecall).toBeCloseTo(expected.recall, 10);
      }
      const labelled = own
        .filter(({ label }) => label !== undefined)
        .map(({ p, label }) => ({ p, isTrue: Number(label) }));
      const known = metricsOf(labelled, threshold);
      expect(final.labelled).toBe(labelled.length);
      expect(estimate.labelled).toBeLessThan(labelled.length);
      for (const name of ['rocAuc', 'logLoss', 'accuracy', 'precision', 'recall'] as const)
        expect(final[name]).toBeCloseTo(known[name] as number, 10);
      expect(estimate.atMs).toBe((window + 1) * hour);
      expect(final.atMs).toBe((window + 4) * hour + 1);
    }
    expect(rows).toHaveLength(8);
    expect(counters).toMatchObject({ predicted: 400, labelled: all.filter(({ label }) => label !== undefined).length });
    expect(Object.keys(rows[0] as object).sort()).toEqual(Object.keys(performanceColumns).sort());
  });

  it('expects what NannyML does of eight probabilities', () => {
    const sums = emptyPerformance();
    for (const p of [0.9, 0.8, 0.7, 0.4, 0.3, 0.2, 0.1, 0.6]) addEstimate(sums, p, p, 0.5);
    const { expectedAccuracy, expectedPrecision, expectedRecall, expectedRocAuc } = performanceOf(sums);
    for (const share of [expectedAccuracy, expectedPrecision, expectedRecall]) expect(share).toBeCloseTo(0.75, 12);
    expect(expectedRocAuc).toBeCloseTo(0.8125, 12);
  });

  it('is near what comes, and knows when it cannot be', () => {
    const inputs = history(24_000, 24, { changeAt: 12 });
    const { rows, counters } = rowsOf(operatorOf({ distrustLabels: 1_500 }), inputs);
    const estimates = rows.filter(({ atMs, endMs }) => atMs === endMs);
    const finals = rows.filter(({ atMs, endMs }) => atMs > endMs);
    const offAt = (of: number) => Math.abs((estimates[of]?.expectedRocAuc as number) - (finals[of]?.rocAuc as number));
    for (let window = 3; window < 12; window++) {
      expect(offAt(window)).toBeLessThan(0.05);
      expect(estimates[window]?.knows).toBe(true);
    }
    expect(estimates[0]?.knows).toBe(false); // nothing is known of labels yet
    // From 12 on labels follow another rule: in the first hours after it the estimates say that they cannot know.
    expect(offAt(12)).toBeGreaterThan(0.01);
    expect(estimates.slice(13, 14).map(({ knows }) => knows)).toEqual([false]);
    expect(estimates.at(-1)?.knows).toBe(true);
    expect(counters.drifts).toBeGreaterThan(0);
    expect(rowsOf(operatorOf({ distrustLabels: 1_500 }), history(24_000, 24)).counters.drifts).toBeUndefined();
  });

  it('counts what comes too late, twice or never', () => {
    const { counters, deadLetters } = rowsOf(operatorOf({ pendingMax: 2 }), [
      { input: 0, value: { id: 1, p: 0.5 }, eventTimeMs: 0 },
      { input: 0, value: { id: 2, p: 0.5 }, eventTimeMs: 1 },
      { input: 0, value: { id: 3, p: 0.5 }, eventTimeMs: 2 }, // drops the first
      { input: 1, value: { id: 1, late: true }, eventTimeMs: 3 },
      { input: 1, value: { id: 2, late: true }, eventTimeMs: 4 },
      { input: 1, value: { id: 2, late: true }, eventTimeMs: 5 },
      { input: 0, value: { id: null as never, p: 0.5 }, eventTimeMs: 6 },
      { input: 0, value: { id: 4, p: 2 }, eventTimeMs: 7 },
      { input: 0, value: { id: 5, p: 0.5 }, eventTimeMs: 9 * hour },
      { input: 0, value: { id: 6, p: 0.5 }, eventTimeMs: 8 },
    ]);
    expect(counters).toMatchObject({ predicted: 4, labelled: 1, unmatched: 2, pending_evicted: 1, missing: 1 });
    expect(deadLetters.map(({ reason }) => reason)).toEqual(['empty-key', 'no-probability', 'late']);
  });

  it('keeps the contract of operators', () => {
    checkOperator(operatorOf(), history(30, 6, { labelled: 0.7 }));
    const small = operatorOf({ calibrator: platt(), detector: hddmA(), distrustLabels: 3, pendingMax: 5 });
    checkOperator(small, history(40, 5, { changeAt: 2, seed: 3 }), { disorderMs: hour / 2 });
  });

  it('says what it cannot do', () => {
    const problems = operatorOf({ wait: 0 as never, threshold: 2, distrustLabels: 0, detector: ddm({ warmUp: 0 }) });
    expect(problems.problems?.slice(0, 3).map(({ message }) => message)).toEqual([
      'wait is 0',
      'distrustLabels is 0',
      'threshold is 2',
    ]);
  });
});
