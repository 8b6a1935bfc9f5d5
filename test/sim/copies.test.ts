import { copies } from './scenarios/copies.js';
import { describeSeeds } from './seeds.js';

describeSeeds(copies, 1);
