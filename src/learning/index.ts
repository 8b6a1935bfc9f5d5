export { type BaselineCell, baselineCells, groupings, type OpenBaselines, openBaselines } from './baseline-cells.js';
export {
  type Baseline,
  type GroupCounts,
  lastClass,
  majority,
  type RateByOptions,
  rateBy,
  runningRate,
} from './baselines.js';
export { type FtrlOptions, ftrl } from './ftrl.js';
export { type LogisticRegressionOptions, logisticRegression } from './logistic-regression.js';
export type { Optimizer, UpdateRule } from './optimizer.js';
export { type Scoreboard, type Scores, scoreboard, scoreboardSize, type WindowScores } from './scoreboard.js';
export { type SgdOptions, sgd } from './sgd.js';
