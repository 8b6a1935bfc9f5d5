import { drains } from './scenarios/drains.js';
import { describeSeeds } from './seeds.js';

describeSeeds(drains, 110_001, { seeds: 208, records: 400_000 });
