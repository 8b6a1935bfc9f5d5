export { calibrated } from './calibration/calibrated.js';
export type { Calibrator, CalibratorLogic } from './calibration/calibrator.js';
export { type IsotonicOptions, isotonic } from './calibration/isotonic.js';
export { type PlattOptions, platt } from './calibration/platt.js';
export { chance } from './chance.js';
export {
  type Baseline,
  type GroupCounts,
  type LabelKind,
  lastClass,
  lastNumber,
  type MeanByOptions,
  majority,
  meanBy,
  type RateByOptions,
  rateBy,
  runningMean,
  runningRate,
} from './evaluation/baselines.js';
export { type HalfSpaceTreesOptions, halfSpaceTrees } from './learners/anomalies/half-space-trees.js';
export { classShares } from './learners/baselines/class-shares.js';
export { lastLabel } from './learners/baselines/last-label.js';
export { meanLabel } from './learners/baselines/mean-label.js';
export { type BernoulliBayesOptions, bernoulliBayes } from './learners/bayes/bernoulli-bayes.js';
export { type GaussianBayesOptions, gaussianBayes } from './learners/bayes/gaussian-bayes.js';
export { type MultinomialBayesOptions, multinomialBayes } from './learners/bayes/multinomial-bayes.js';
export { type KMeansOptions, kMeans } from './learners/clusters/k-means.js';
export {
  type AdaptiveRandomForestOptions,
  adaptiveRandomForest,
} from './learners/ensembles/adaptive-random-forest.js';
export {
  type AdaptiveRandomForestRegressionOptions,
  adaptiveRandomForestRegression,
} from './learners/ensembles/adaptive-random-forest-regression.js';
export { type LeveragingBaggingOptions, leveragingBagging } from './learners/ensembles/leveraging-bagging.js';
export {
  type FactorizationMachineOptions,
  type FactorizationMachineRegressionOptions,
  factorizationMachine,
  factorizationMachineRegression,
} from './learners/factors/factorization-machine.js';
export { type MatrixFactorizationOptions, matrixFactorization } from './learners/factors/matrix-factorization.js';
export type { FactorOptions } from './learners/factors/pairs.js';
export { type ArowOptions, arow } from './learners/linear/arow.js';
export type { LinearOptions } from './learners/linear/linear-model.js';
export { type LinearRegressionOptions, linearRegression } from './learners/linear/linear-regression.js';
export { logisticRegression } from './learners/linear/logistic-regression.js';
export {
  type PassiveAggressiveOptions,
  type PassiveAggressiveRegressionOptions,
  passiveAggressive,
  passiveAggressiveRegression,
} from './learners/linear/passive-aggressive.js';
export { type PerceptronOptions, perceptron } from './learners/linear/perceptron.js';
export { type SoftmaxRegressionOptions, softmaxRegression } from './learners/linear/softmax-regression.js';
export {
  type KNearestNeighborsOptions,
  kNearestNeighbors,
  kNearestNeighborsRegression,
  type NeighborsOptions,
} from './learners/neighbors/k-nearest-neighbors.js';
export { type HoeffdingAdaptiveTreeOptions, hoeffdingAdaptiveTree } from './learners/trees/hoeffding-adaptive-tree.js';
export { type HoeffdingTreeOptions, hoeffdingTree } from './learners/trees/hoeffding-tree.js';
export { hoeffdingTreeRegression } from './learners/trees/hoeffding-tree-regression.js';
export type { TreeGrowthOptions, TreeOptions, TreeRegressionOptions } from './learners/trees/tree-rules.js';
export { type AdaGradOptions, adaGrad } from './optimizers/ada-grad.js';
export { type AdamOptions, adam } from './optimizers/adam.js';
export { type FtrlOptions, ftrl } from './optimizers/ftrl.js';
export { type MomentumOptions, momentum } from './optimizers/momentum.js';
export type { Optimizer, UpdateRule } from './optimizers/optimizer.js';
export { type RmsPropOptions, rmsProp } from './optimizers/rms-prop.js';
export { exponentialDecay, inverseScaling, type Rate, type Schedule } from './optimizers/schedule.js';
export { type SgdOptions, sgd } from './optimizers/sgd.js';
export { type PipeParts, pipe } from './pipe.js';
export { minMaxScaler } from './preprocessing/min-max-scaler.js';
export { robustScaler } from './preprocessing/robust-scaler.js';
export { standardScaler } from './preprocessing/standard-scaler.js';
