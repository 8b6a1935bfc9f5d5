import { unsupervised } from './scenarios/unsupervised.js';
import { describeSeeds } from './seeds.js';

describeSeeds(unsupervised, 80001, { seeds: 104, records: 150_000 });
