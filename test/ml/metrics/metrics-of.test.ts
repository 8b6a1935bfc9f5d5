import { describe, expect, it } from 'vitest';
import { count } from '../../../src/aggregates/index.js';
import { accuracy, metricsOf, rocAuc } from '../../../src/ml/metrics/index.js';
import { checkAggregate } from '../../../src/testing/aggregate-contract.js';
import { Summary } from '../../aggregates/summary.js';
import { over } from './support.js';

interface Flight {
  readonly late: { readonly probability: number };
  readonly delay: number;
}

const flights: readonly Flight[] = [3, 20, 40, 7].map((delay, i) => ({ late: { probability: 0.2 * i + 0.1 }, delay }));
const scores = metricsOf(({ late, delay }: Flight) => ({ prediction: late.probability, label: delay >= 15 }), {
  auc: rocAuc(),
  right: accuracy(),
  flights: count(),
});

describe('metricsOf', () => {
  it('gives what the metrics give over rows that are made of the records', () => {
    const rows = flights.map(({ late, delay }) => ({ prediction: late.probability, label: delay >= 15 }));
    expect(over(scores.auc, flights)).toBe(over(rocAuc(), rows));
    expect(over(scores.right, flights)).toBe(over(accuracy(), rows));
    expect(over(scores.flights, flights)).toBe(4);
  });

  it('keeps what the metrics promise, their text and their problems', () => {
    const samples = flights.map((value, timeMs) => ({ value, timeMs }));
    for (const metric of Object.values(scores)) checkAggregate(metric, samples);
    const { auc } = metricsOf((flight: Flight) => ({ prediction: 0, label: flight.delay > 0 }), {
      auc: rocAuc({ bins: 0 }),
    });
    expect(auc.text).toBe(rocAuc({ bins: 0 }).text);
    expect(auc.problems).toEqual(rocAuc({ bins: 0 }).problems);
    const summary = new Summary(scores.auc);
    for (const sample of samples) summary.add(sample);
    for (const sample of samples) summary.retract(sample);
    expect(summary.result()).toBeNull();
  });
});
