import { MillraceError } from '../../core/errors.js';
import type { ClassLabel, ClassScores, FeatureShape, Learner } from '../../core/learner.js';
import type { Cell, CellSpecs } from '../../core/state.js';
import { type Float64Cell, float64Cell } from '../../state/index.js';
import { refusalOfWeight } from '../learners/rows.js';
import { cellsOfPart, cellsOfParts } from '../parts.js';
import type { Calibrator } from './calibrator.js';

const CALIBRATION = 'calibration';

/**
 * A learner whose probabilities are calibrated: of those of 0.3 about 30 % come true. Naive Bayes, trees and ensembles are often too sure;
 * what costs something is decided by the probability, so it must be one. The result is a learner, also within `pipe`.
 *
 * Of several classes each is calibrated against all others; then their scores are made to add up to 1.
 *
 * Guarantees: learns from the same updates as the learner. Of each it first takes what the learner says before it learns the label, so the
 * calibration is that of unseen rows. A row that the learner refuses changes nothing. A calibration keeps the order of probabilities, so a
 * ROC AUC stays but for ties.
 * Memory: the learner's state and the calibrator's numbers, for each class: 5, or 3 a bin. Cost: a prediction more for each update.
 *
 * @example
 * learn(pipe(standardScaler(), calibrated(gaussianBayes({ classes: [false, true] }), isotonic())), { as: 'late', ... });
 *
 * @example
 * const late = calibrated(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), platt());
 * @throws MillraceError `config` for a learner that gives neither a probability nor scores of classes
 */
export function calibrated<Y, P extends number | ClassScores>(
  learner: Learner<Y, P>,
  calibrator: Calibrator,
): Learner<Y, P> {
  const { kind, output, classes, missing, warmUp, revision, settings, structure } = learner;
  if (output !== 'probability' && output !== 'scores')
    throw new MillraceError('config', `${kind} gives '${output}', which cannot be calibrated`, {
      where: 'calibrated',
      hint: 'give it a learner of probabilities or of classes, such as logisticRegression',
    });
  const { size } = calibrator;
  const targets: readonly ClassLabel[] = output === 'scores' ? (classes as readonly ClassLabel[]) : [true];
  const named = (of: Calibrator['settings'] = {}) =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => [`${CALIBRATION}.${name}`, value]));
  return Object.freeze({
    kind: `calibrated(${kind}, ${calibrator.kind})`,
    settings: Object.freeze({ ...settings, ...named(calibrator.settings) }),
    structure: Object.freeze({ ...structure, ...named(calibrator.structure) }),
    output,
    ...(classes === undefined ? {} : { classes }),
    ...(missing === undefined ? {} : { missing }),
    ...(warmUp === undefined ? {} : { warmUp }),
    ...(revision === undefined ? {} : { revision }),
    cells: (shape: FeatureShape): CellSpecs => ({
      ...cellsOfParts([learner.cells(shape)]),
      [CALIBRATION]: float64Cell({ size: size * targets.length }),
    }),
    open(cells: Readonly<Record<string, Cell>>, shape: FeatureShape) {
      const logic = learner.open(cellsOfPart(cells, 0), shape);
      const cell = cells[CALIBRATION] as Float64Cell;
      const parts = targets.map((_, c) => calibrator.open(cell.values.subarray(c * size, (c + 1) * size)));
      const shares = new Float64Array(targets.length);
      const said = new Float64Array(targets.length);
      return {
        predictOne(features) {
          const prediction = logic.predictOne(features);
          if (typeof prediction === 'number') return parts[0]?.calibrate(prediction) as P;
          let sum = 0;
          parts.forEach((part, c) => {
            shares[c] = part.calibrate(prediction[c] as number);
            sum += shares[c] as number;
          });
          for (let c = 0; c < shares.length; c++) shares[c] = sum > 0 ? (shares[c] as number) / sum : 1 / shares.length;
          return shares as ClassScores as P;
        },
        learnOne(features, label, weight = 1) {
          const refusal = refusalOfWeight(weight);
          if (refusal) return refusal;
          const prediction = logic.predictOne(features);
          if (typeof prediction === 'number') said[0] = prediction;
          else said.set(prediction);
          const result = logic.learnOne(features, label, weight);
          if (result !== 'learnt' || !said.every(Number.isFinite)) return result;
          parts.forEach((part, c) => {
            part.learn(said[c] as number, label === targets[c], weight);
          });
          for (let at = 0; at < cell.values.length; at += 256) cell.touch(at);
          return result;
        },
        refresh() {
          logic.refresh?.();
          for (const part of parts) part.refresh?.();
        },
      };
    },
  } satisfies Learner<Y, P>);
}
