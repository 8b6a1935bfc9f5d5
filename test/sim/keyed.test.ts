import { keyed } from './scenarios/keyed.js';
import { describeSeeds } from './seeds.js';

describeSeeds(keyed, 90001, { seeds: 104, records: 150_000 });
