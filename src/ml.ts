// `millrace/ml`: learners, optimizers, baselines and features, and the contract of a learner of your own.

export {
  type CategoryPlaces,
  type CellSpecs,
  type ClassLabel,
  type ClassScores,
  type FeatureArray,
  type FeatureNumbers,
  type FeatureShape,
  type FeatureVector,
  type Learner,
  type LearnerLogic,
  type LearnerOutput,
  type LearnResult,
  learnMany,
  type OpenCells,
  predictMany,
  type Refusal,
  type Transformer,
  type TransformerLogic,
  type Update,
} from './core/index.js';
export { chance } from './ml/chance.js';
export {
  type Baseline,
  type GroupCounts,
  type LabelKind,
  lastClass,
  lastNumber,
  majority,
  meanBy,
  type RateByOptions,
  rateBy,
  runningMean,
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
export { type HalfSpaceTreesOptions, halfSpaceTrees } from './ml/learners/anomalies/half-space-trees.js';
export { classShares } from './ml/learners/baselines/class-shares.js';
export { lastLabel } from './ml/learners/baselines/last-label.js';
export { meanLabel } from './ml/learners/baselines/mean-label.js';
export { type BernoulliBayesOptions, bernoulliBayes } from './ml/learners/bayes/bernoulli-bayes.js';
export { type GaussianBayesOptions, gaussianBayes } from './ml/learners/bayes/gaussian-bayes.js';
export { type MultinomialBayesOptions, multinomialBayes } from './ml/learners/bayes/multinomial-bayes.js';
export { type ArowOptions, arow } from './ml/learners/linear/arow.js';
export type { LinearOptions } from './ml/learners/linear/linear-model.js';
export { type LinearRegressionOptions, linearRegression } from './ml/learners/linear/linear-regression.js';
export { logisticRegression } from './ml/learners/linear/logistic-regression.js';
export {
  type PassiveAggressiveOptions,
  type PassiveAggressiveRegressionOptions,
  passiveAggressive,
  passiveAggressiveRegression,
} from './ml/learners/linear/passive-aggressive.js';
export { type PerceptronOptions, perceptron } from './ml/learners/linear/perceptron.js';
export { type SoftmaxRegressionOptions, softmaxRegression } from './ml/learners/linear/softmax-regression.js';
export {
  type HoeffdingTreeOptions,
  hoeffdingTree,
  type TreeOptions,
} from './ml/learners/trees/hoeffding-tree.js';
export { type AdaGradOptions, adaGrad } from './ml/optimizers/ada-grad.js';
export { type AdamOptions, adam } from './ml/optimizers/adam.js';
export { type FtrlOptions, ftrl } from './ml/optimizers/ftrl.js';
export { type MomentumOptions, momentum } from './ml/optimizers/momentum.js';
export type { Optimizer, UpdateRule } from './ml/optimizers/optimizer.js';
export { type RmsPropOptions, rmsProp } from './ml/optimizers/rms-prop.js';
export { exponentialDecay, inverseScaling, type Rate, type Schedule } from './ml/optimizers/schedule.js';
export { type SgdOptions, sgd } from './ml/optimizers/sgd.js';
export { type PipeParts, pipe } from './ml/pipe.js';
export { minMaxScaler } from './ml/preprocessing/min-max-scaler.js';
export { robustScaler } from './ml/preprocessing/robust-scaler.js';
export { standardScaler } from './ml/preprocessing/standard-scaler.js';
export {
  type ArenaCell,
  type ArenaCellOptions,
  arenaCell,
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
