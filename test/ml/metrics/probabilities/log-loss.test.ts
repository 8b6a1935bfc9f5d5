import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logLoss } from '../../../../src/ml/metrics/index.js';
import { logLossOf } from '../../../../src/ml/metrics/probabilities/log-loss.js';
import { holdsTo, keepsPromises, names, over } from '../support.js';

describe('log-loss', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('binary', 'log_loss', () => logLoss());
    holdsTo('class', 'log_loss', ({ classes = [] }) => logLoss({ classes }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(logLoss(), 'binary');
    keepsPromises(logLoss({ classes: names }), 'class');
  });

  it('reads scores in the order of the classes too', () => {
    const row = { prediction: Float64Array.of(0.2, 0.5, 0.3), label: 'b' };
    expect(over(logLoss({ classes: names }), [row])).toBeCloseTo(Math.LN2, 12);
    expect(over(logLoss({ classes: names }), [{ ...row, label: 'z' }])).toBeNull();
  });
});

describe('the log loss of one prediction', () => {
  it('costs much, but not infinitely, to be sure and wrong', () => {
    expect(logLossOf(0, true)).toBeCloseTo(34.538776, 5);
    expect(logLossOf(1, false)).toBe(logLossOf(0, true));
    expect(logLossOf(1, true)).toBeLessThan(1e-14);
  });

  it('is that of the nearest probability that is not sure, to the last bit', () => {
    const probability = fc.oneof(
      fc.double(),
      fc.double({ min: 0, max: 1 }),
      fc.constantFrom(0, 1, 1e-15, 1 - 1e-15, 2e-15),
    );
    fc.assert(
      fc.property(probability, fc.boolean(), (p, label) => {
        const given = label ? p : 1 - p;
        expect(logLossOf(p, label)).toBe(-Math.log(Math.min(1 - 1e-15, Math.max(1e-15, given))));
      }),
    );
  });
});
