// `millrace/ml`: learners, optimizers, baselines and features, and the contract of a learner of your own.

export type { CellSpecs, FeatureShape, FeatureVector, Learner, LearnerLogic, OpenCells } from './core/index.js';
export {
  type Baseline,
  type GroupCounts,
  lastClass,
  majority,
  type RateByOptions,
  rateBy,
  runningRate,
} from './ml/evaluation/baselines.js';
export {
  bucket,
  type ColumnValue,
  cyclic,
  type DenseFeature,
  type EntityOf,
  type Feature,
  type FeatureRow,
  type FeatureView,
  featureView,
  type HashedFeature,
  type HashedNgramsOptions,
  hashed,
  hashedNgrams,
  type NumericOptions,
  numeric,
  type OutcomeOptions,
  type OutcomeView,
  offlineColumns,
  oneHot,
  onlineKey,
  type RollingFeature,
  type RollingOptions,
  rolling,
  type StatelessView,
  type VectorNumbers,
  vectorDigest,
} from './ml/features/index.js';
export { type LogisticRegressionOptions, logisticRegression } from './ml/learners/linear/logistic-regression.js';
export { type FtrlOptions, ftrl } from './ml/optimizers/ftrl.js';
export type { Optimizer, UpdateRule } from './ml/optimizers/optimizer.js';
export { type SgdOptions, sgd } from './ml/optimizers/sgd.js';
export {
  type Float64Cell,
  type Float64CellOptions,
  float64Cell,
  type MapCell,
  type MapCellOptions,
  mapCell,
  type ValueCell,
  type ValueCellOptions,
  valueCell,
} from './state/index.js';
