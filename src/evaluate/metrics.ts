import type { Aggregate } from '../aggregates/index.js';
import type { ClassLabel } from '../core/learner.js';
import type { LabelKind } from '../ml/index.js';
import {
  accuracy,
  balancedAccuracy,
  brier,
  calibrationError,
  fBeta,
  kappa,
  logLoss,
  mae,
  mcc,
  normalizedEntropy,
  prAuc,
  precision,
  r2,
  recall,
  rmse,
  rocAuc,
} from '../ml/metrics/index.js';

/** Score bins over a whole file: the error of ties within bins is below the digits that are shown. */
const bins = 65_536;
const classBins = 4_096;

type Named = Readonly<Record<string, () => Aggregate<never, number | null>>>;

const binary: Named = {
  log_loss: () => logLoss(),
  roc_auc: () => rocAuc({ bins }),
  accuracy: () => accuracy(),
  balanced_accuracy: () => balancedAccuracy(),
  precision: () => precision(),
  recall: () => recall(),
  f1: () => fBeta(),
  mcc: () => mcc(),
  kappa: () => kappa(),
  brier: () => brier(),
  normalized_entropy: () => normalizedEntropy(),
  calibration_error: () => calibrationError(),
  pr_auc: () => prAuc({ bins }),
};

const number: Named = { mae, rmse, r2 };

const ofClasses = (classes: readonly ClassLabel[]): Named => ({
  accuracy: () => accuracy({ classes }),
  log_loss: () => logLoss({ classes }),
  macro_f1: () => fBeta({ classes }),
  macro_precision: () => precision({ classes }),
  macro_recall: () => recall({ classes }),
  balanced_accuracy: () => balancedAccuracy({ classes }),
  mcc: () => mcc({ classes }),
  kappa: () => kappa({ classes }),
  brier: () => brier({ classes }),
  calibration_error: () => calibrationError({ classes }),
  roc_auc: () => rocAuc({ classes, bins: classBins }),
  pr_auc: () => prAuc({ classes, bins: classBins }),
});

/** The metrics that are shown where none are asked for: those that `learn` measures. */
export const shownByDefault: Readonly<Record<LabelKind, readonly string[]>> = {
  binary: ['log_loss', 'roc_auc', 'accuracy'],
  number: ['mae', 'rmse'],
  class: ['accuracy', 'log_loss', 'macro_f1'],
};

/** The metrics of a kind of labels by name. */
export function metricsFor(kind: LabelKind, classes: readonly ClassLabel[]): Named {
  if (kind === 'class') return ofClasses(classes);
  return kind === 'binary' ? binary : number;
}
