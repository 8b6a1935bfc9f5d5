import { transfers } from './scenarios/transfers.js';
import { describeSeeds } from './seeds.js';

// Two sub-topologies, and twice the records of the log between them: fewer seeds than the others.
describeSeeds(transfers, 40001, { seeds: 208, records: 220_000 });
