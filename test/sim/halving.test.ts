import { halving } from './scenarios/halving.js';
import { describeSeeds } from './seeds.js';

describeSeeds(halving, 100001, { seeds: 104, records: 150_000 });
