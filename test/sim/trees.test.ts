import { trees } from './scenarios/trees.js';
import { describeSeeds } from './seeds.js';

describeSeeds(trees, 70001, { seeds: 104, records: 150_000 });
