export { type ChiSquared, chiSquared } from './chi-squared.js';
export type { DistanceName, Distances } from './distances.js';
export type { DistributionFeature } from './distribution.js';
export { jensenShannon } from './jensen-shannon.js';
export { kolmogorovSmirnov } from './kolmogorov-smirnov.js';
export { psi } from './psi.js';
export { distributionsOf, type Features, type RowDistributions, type Slices } from './slice-distributions.js';
export { wasserstein } from './wasserstein.js';
export type { Weighted } from './weighted.js';
