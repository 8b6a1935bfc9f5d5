import { rates } from './scenarios/rates.js';
import { describeSeeds } from './seeds.js';

describeSeeds(rates, 60001, { seeds: 208, records: 220_000 });
