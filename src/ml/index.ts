export {
  type BaselineCell,
  baselineCells,
  groupings,
  type OpenBaselines,
  openBaselines,
} from './evaluation/baseline-cells.js';
export {
  type Baseline,
  type GroupCounts,
  lastClass,
  majority,
  type RateByOptions,
  rateBy,
  runningRate,
} from './evaluation/baselines.js';
export {
  type Scoreboard,
  type Scores,
  scoreboard,
  scoreboardSize,
  type WindowScores,
} from './evaluation/scoreboard.js';
export { type LogisticRegressionOptions, logisticRegression } from './learners/linear/logistic-regression.js';
export { type FtrlOptions, ftrl } from './optimizers/ftrl.js';
export type { Optimizer, UpdateRule } from './optimizers/optimizer.js';
export { type SgdOptions, sgd } from './optimizers/sgd.js';
