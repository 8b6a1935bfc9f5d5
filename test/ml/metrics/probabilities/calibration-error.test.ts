import { describe, expect, it } from 'vitest';
import { calibrationError } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, names, over } from '../support.js';

describe('calibration error', () => {
  it('equals a loop over the definition', () => {
    holdsTo('binary', 'ece', () => calibrationError({ bins: 10 }));
    holdsTo('binary', 'ece_l2', () => calibrationError({ bins: 10, norm: 'l2' }));
    holdsTo('binary', 'ece_max', () => calibrationError({ bins: 10, norm: 'max' }));
    holdsTo('class', 'ece', ({ classes = [] }) => calibrationError({ bins: 10, classes }));
    holdsTo('class', 'ece_max', ({ classes = [] }) => calibrationError({ bins: 10, classes, norm: 'max' }));
  });

  it('gives the figures that torchmetrics documents', () => {
    const labels = [0, 0, 1, 1, 1];
    const rows = [0.25, 0.25, 0.55, 0.75, 0.75].map((prediction, i) => ({ prediction, label: labels[i] }));
    expect(over(calibrationError({ bins: 2 }), rows)).toBeCloseTo(0.29, 12);
    expect(over(calibrationError({ bins: 2, norm: 'l2' }), rows)).toBeCloseTo(0.2918332857414772, 12);
    expect(over(calibrationError({ bins: 2, norm: 'max' }), rows)).toBeCloseTo(0.31666666666666676, 12);
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(calibrationError(), 'binary');
    keepsPromises(calibrationError({ bins: 5, norm: 'max' }), 'binary');
    keepsPromises(calibrationError({ classes: names }), 'class');
  });
});
