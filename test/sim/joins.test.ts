import { joins } from './scenarios/joins.js';
import { describeSeeds } from './seeds.js';

describeSeeds(joins, 90001, { seeds: 52, records: 55_000 });
