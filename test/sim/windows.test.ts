import { windows } from './scenarios/windows.js';
import { describeSeeds } from './seeds.js';

// Four steps that keep windows over every record: fewer seeds than the others.
describeSeeds(windows, 60001, { seeds: 52, records: 55_000 });
