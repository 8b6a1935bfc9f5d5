import { upgrades } from './scenarios/upgrades.js';
import { describeSeeds } from './seeds.js';

describeSeeds(upgrades, 120_001, { seeds: 52, records: 120_000 });
