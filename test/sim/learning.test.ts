import { learning } from './scenarios/learning.js';
import { describeSeeds } from './seeds.js';

describeSeeds(learning, 20001);
