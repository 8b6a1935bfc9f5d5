import { describe, expect, it } from 'vitest';
import { mcc } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, names, over } from '../support.js';

describe('MCC', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('binary', 'mcc', () => mcc());
    holdsTo('binary', 'mcc_at_0.1', () => mcc({ threshold: 0.1 }));
    holdsTo('class', 'mcc', ({ classes = [] }) => mcc({ classes }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(mcc(), 'binary', { exact: true });
    keepsPromises(mcc({ classes: names }), 'class', { exact: true });
  });

  it('is 1, -1, or 0 where all is decided for one class, by weights of any size too', () => {
    const rows = [
      { prediction: 1, label: true, weight: 0.1 },
      { prediction: 0, label: false, weight: 0.7 },
    ];
    expect(over(mcc(), rows)).toBeCloseTo(1, 12);
    expect(
      over(
        mcc(),
        rows.map((row) => ({ ...row, label: !row.label })),
      ),
    ).toBeCloseTo(-1, 12);
    expect(
      over(
        mcc(),
        rows.map((row) => ({ ...row, prediction: 1 })),
      ),
    ).toBe(0);
  });
});
