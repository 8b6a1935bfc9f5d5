import { quiet } from './scenarios/quiet.js';
import { describeSeeds } from './seeds.js';

describeSeeds(quiet, 50001, { seeds: 208, records: 220_000 });
