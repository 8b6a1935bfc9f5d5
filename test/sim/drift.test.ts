import { drift } from './scenarios/drift.js';
import { describeSeeds } from './seeds.js';

describeSeeds(drift, 120001, { seeds: 26, records: 30_000 });
