import { describe, it } from 'vitest';
import { rocAuc, scoreHistogram } from '../../../../src/ml/metrics/index.js';
import { binnedRocAuc } from '../../../../src/ml/metrics/probabilities/roc-auc.js';
import { batchesOf, keepsPromises, near, over } from '../support.js';

describe('score histogram', () => {
  it('has what the ROC AUC is read from', () => {
    for (const { rows, figures } of batchesOf('binary')) {
      const { positives, negatives } = over(scoreHistogram({ bins: 16 }), rows) ?? { positives: [], negatives: [] };
      near(binnedRocAuc(positives, negatives), figures.roc_auc_binned as number);
    }
  });

  it('adds up to that of the whole, bin by bin', () => {
    for (const { rows } of batchesOf('binary')) {
      const parts = [0, 1, 2].map((part) =>
        over(
          scoreHistogram({ bins: 16 }),
          rows.filter((_, i) => i % 3 === part),
        ),
      );
      const sum = (side: 'positives' | 'negatives') =>
        Array.from({ length: 16 }, (_, bin) => parts.reduce((all, part) => all + (part?.[side][bin] ?? 0), 0));
      near(binnedRocAuc(sum('positives'), sum('negatives')), over(rocAuc({ bins: 16 }), rows));
    }
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(scoreHistogram({ bins: 8 }), 'binary', { exact: true });
    keepsPromises(scoreHistogram({ bins: 8, scale: 'log-odds' }), 'binary', { exact: true });
  });
});
