import { clocked } from './scenarios/clocked.js';
import { describeSeeds } from './seeds.js';

describeSeeds(clocked, 90001, { seeds: 104, records: 110_000 });
