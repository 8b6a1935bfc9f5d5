import { totals } from './scenarios/totals.js';
import { describeSeeds } from './seeds.js';

describeSeeds(totals, 10001);
