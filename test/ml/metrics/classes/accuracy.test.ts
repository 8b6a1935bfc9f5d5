import { describe, expect, it } from 'vitest';
import { accuracy } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, names, over } from '../support.js';

describe('accuracy', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('binary', 'accuracy', () => accuracy());
    holdsTo('binary', 'accuracy_at_0.1', () => accuracy({ threshold: 0.1 }));
    holdsTo('class', 'accuracy', ({ classes = [] }) => accuracy({ classes }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(accuracy(), 'binary', { exact: true });
    keepsPromises(accuracy({ classes: names }), 'class', { exact: true });
  });

  it('takes decisions as they are, and a class that is not declared as wrong', () => {
    const rows = [true, false, 0.6, 1].map((prediction) => ({ prediction, label: true }));
    expect(over(accuracy(), rows)).toBe(0.75);
    const decided = ['a', 'b', 'z'].map((prediction) => ({ prediction, label: 'a' }));
    expect(over(accuracy({ classes: names }), decided)).toBe(1 / 3);
    expect(over(accuracy({ classes: names }), [{ prediction: 'a', label: 'z' }])).toBeNull();
  });

  it('names what is wrong with its options', () => {
    expect(accuracy({ threshold: Number.NaN }).problems[0]?.message).toBe('the threshold is NaN');
    expect(accuracy({ classes: ['a'] }).problems[0]?.message).toBe('the number of classes is 1');
    expect(accuracy({ classes: ['1', 1] }).problems[0]?.message).toBe('a class is declared twice');
  });
});
