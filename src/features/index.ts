export { bucket, bucketOf } from './bucket.js';
export { cyclic } from './cyclic.js';
export type { ColumnValue, DenseFeature, Feature, HashedFeature, RollingFeature } from './feature.js';
export {
  type FeatureView,
  featureView,
  type OutcomeView,
  type StatelessView,
  type VectorLogic,
} from './feature-view.js';
export { hashed } from './hashed.js';
export { type NumericOptions, numeric } from './numeric.js';
export { oneHot } from './one-hot.js';
export type { OutcomeOptions } from './outcome.js';
export type { Observed, TrackingCells, TrackingLogic } from './outcome-tracking.js';
export { type RollingOptions, rolling } from './rolling.js';
