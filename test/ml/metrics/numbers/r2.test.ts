import { describe, expect, it } from 'vitest';
import { r2 } from '../../../../src/ml/metrics/index.js';
import { Summary } from '../../../aggregates/summary.js';
import { holdsTo, keepsPromises, near, over } from '../support.js';

describe('r2', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('number', 'r2', () => r2());
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(r2(), 'number');
  });

  it('is 0 for who says the mean, and has no value where labels do not differ', () => {
    const rows = [1, 2, 6].map((label) => ({ prediction: 3, label }));
    expect(over(r2(), rows)).toBe(0);
    expect(over(r2(), rows.slice(1, 2))).toBeNull();
    expect(
      over(
        r2(),
        [0.1, 0.7, 0.2].map((weight) => ({ prediction: 1, label: 0.3, weight })),
      ),
    ).toBeNull();
  });

  it('loses no digits to a mean that is far from 0, also where rows were taken back', () => {
    const labels = [0, 1, 2, 3, 4].map((i) => 1e8 + i / 4);
    const rows = labels.map((label, i) => ({ prediction: label + (i % 2 ? 0.25 : -0.25), label, weight: 1 + i / 3 }));
    const all = 1 + 4 / 3 + 5 / 3 + 2 + 7 / 3;
    const mean = rows.reduce((sum, { weight }, i) => sum + (weight * i) / 4, 0) / all;
    const spread = rows.reduce((sum, { weight }, i) => sum + weight * (i / 4 - mean) ** 2, 0);
    near(over(r2(), rows), 1 - (all * 0.0625) / spread);
    const summary = new Summary(r2());
    const others = Array.from({ length: 50 }, (_, i) => ({ prediction: i, label: 7e8 * Math.sin(i), weight: 0.1 + i }));
    for (const value of [...others, ...rows]) summary.add({ value, timeMs: 0 });
    for (const value of others) summary.retract({ value, timeMs: 0 });
    near(summary.result() as number, 1 - (all * 0.0625) / spread, 1e-9);
  });
});
