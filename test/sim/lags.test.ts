import { lags } from './scenarios/lags.js';
import { describeSeeds } from './seeds.js';

describeSeeds(lags, 170001, { seeds: 26, records: 45_000 });
