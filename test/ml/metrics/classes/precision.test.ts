import { describe, expect, it } from 'vitest';
import { precision } from '../../../../src/ml/metrics/index.js';
import { batchesOf, holdsTo, keepsPromises, names, near, over } from '../support.js';

describe('precision', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('binary', 'precision', () => precision());
    holdsTo('binary', 'precision_at_0.1', () => precision({ threshold: 0.1 }));
    for (const average of ['macro', 'micro', 'weighted'] as const)
      holdsTo('class', `precision_${average}`, ({ classes = [] }) => precision({ classes, average }));
    for (const { classes = [], figures, rows } of batchesOf('class'))
      for (const of of classes) near(over(precision({ classes, of }), rows), figures[`precision_of_${of}`] as number);
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(precision(), 'binary', { exact: true });
    keepsPromises(precision({ classes: names }), 'class', { exact: true });
    keepsPromises(precision({ classes: names, of: 'b' }), 'class', { exact: true });
    keepsPromises(precision({ classes: names, average: 'micro' }), 'class', { exact: true });
  });

  it('has no value of a class that nothing was of', () => {
    const rows = [{ prediction: 0.1, label: false }];
    expect(over(precision(), rows)).toBeNull();
    expect(over(precision({ classes: names, of: 'c' }), [{ prediction: 'a', label: 'b' }])).toBeNull();
  });

  it('names a class that is not declared', () => {
    expect(precision({ classes: names, of: 'z' }).problems[0]?.message).toBe('z is not among the classes');
  });
});
