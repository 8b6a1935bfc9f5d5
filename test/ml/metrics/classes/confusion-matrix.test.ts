import { describe, expect, it } from 'vitest';
import { confusionMatrix } from '../../../../src/ml/metrics/index.js';
import { batchesOf, keepsPromises, names, near, over } from '../support.js';

describe('confusion matrix', () => {
  it('equals that of scikit-learn', () => {
    for (const { classes = [], matrix = [], rows } of batchesOf('class')) {
      const table = over(confusionMatrix({ classes }), rows) ?? [];
      expect(table.length).toBe(classes.length);
      table.forEach((row, of) => {
        expect(row[classes.length]).toBe(0);
        for (const [decided, weight] of row.slice(0, -1).entries()) near(weight, matrix[of]?.[decided] as number);
      });
    }
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(confusionMatrix(), 'binary', { exact: true });
    keepsPromises(confusionMatrix({ classes: names }), 'class', { exact: true });
  });

  it('shows false first, and what is not declared last', () => {
    const rows = [0.9, 0.9, 0.1].map((prediction) => ({ prediction, label: false }));
    expect(over(confusionMatrix(), rows)).toEqual([
      [1, 2],
      [0, 0],
    ]);
    const table = over(confusionMatrix({ classes: ['a', 'b'] }), [{ prediction: 'z', label: 'b', weight: 2 }]);
    expect(table).toEqual([
      [0, 0, 0],
      [0, 0, 2],
    ]);
  });
});
