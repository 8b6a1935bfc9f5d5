import { scores } from './scenarios/scores.js';
import { describeSeeds } from './seeds.js';

describeSeeds(scores, 30001);
