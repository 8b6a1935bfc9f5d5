// `millrace/ml`: learners, optimizers, baselines, features and metrics, and the contract of a learner of your own.

export {
  type CategoryPlaces,
  type CellSpecs,
  type ClassLabel,
  type ClassScores,
  type ClusterDistances,
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
export * from './ml/distributions/index.js';
export * from './ml/drift/index.js';
export { type EvaluationQuery, evaluationSql } from './ml/evaluation/evaluation-sql.js';
export * from './ml/features/index.js';
export * from './ml/index.js';
export * from './ml/metrics/index.js';
export { distributionColumns } from './operators/ml/compare-distributions.js';
export { driftColumns } from './operators/ml/detect-drift.js';
export { performanceColumns } from './operators/ml/estimate-performance.js';
export { evaluationColumns } from './operators/ml/evaluate.js';
export { modelDriftColumns } from './operators/ml/learn-with-drift.js';
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
