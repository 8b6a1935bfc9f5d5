import { describe, expect, it } from 'vitest';
import { recall } from '../../../../src/ml/metrics/index.js';
import { batchesOf, holdsTo, keepsPromises, names, near, over } from '../support.js';

describe('recall', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('binary', 'recall', () => recall());
    holdsTo('binary', 'recall_at_0.1', () => recall({ threshold: 0.1 }));
    for (const average of ['macro', 'micro', 'weighted'] as const)
      holdsTo('class', `recall_${average}`, ({ classes = [] }) => recall({ classes, average }));
    for (const { classes = [], figures, rows } of batchesOf('class'))
      for (const of of classes) near(over(recall({ classes, of }), rows), figures[`recall_of_${of}`] as number);
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(recall(), 'binary', { exact: true });
    keepsPromises(recall({ classes: names }), 'class', { exact: true });
    keepsPromises(recall({ classes: names, of: 'b' }), 'class', { exact: true });
    keepsPromises(recall({ classes: names, average: 'micro' }), 'class', { exact: true });
  });

  it('has no value of a class that nothing was of', () => {
    const rows = [{ prediction: 0.1, label: false }];
    expect(over(recall(), rows)).toBeNull();
    expect(over(recall({ classes: names, of: 'c' }), [{ prediction: 'a', label: 'b' }])).toBeNull();
  });

  it('names a class that is not declared', () => {
    expect(recall({ classes: names, of: 'z' }).problems[0]?.message).toBe('z is not among the classes');
  });
});
