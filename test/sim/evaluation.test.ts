import { evaluation } from './scenarios/evaluation.js';
import { describeSeeds } from './seeds.js';

describeSeeds(evaluation, 100001, { seeds: 52, records: 55_000 });
