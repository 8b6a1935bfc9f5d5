export { bucket, bucketOf } from './bucket.js';
export { cyclic } from './cyclic.js';
export { type VectorNumbers, vectorDigest } from './digest.js';
export type { ColumnValue, DenseFeature, Feature, HashedFeature, RollingFeature } from './feature.js';
export {
  denseColumns,
  type FeatureRow,
  offlineColumns,
  onlineKey,
  openRows,
} from './feature-row.js';
export {
  type EntityOf,
  type FeatureView,
  featureView,
  isFeatureView,
  type OutcomeView,
  type StatelessView,
  type VectorLogic,
} from './feature-view.js';
export { hashed } from './hashed.js';
export { type HashedNgramsOptions, hashedNgrams } from './hashed-ngrams.js';
export { type NumericOptions, numeric } from './numeric.js';
export { oneHot } from './one-hot.js';
export type { OutcomeOptions } from './outcome.js';
export type { Observed, TrackingCells, TrackingLogic } from './outcome-tracking.js';
export { type RollingOptions, rolling } from './rolling.js';
