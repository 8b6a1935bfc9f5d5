// A run of the built package, in a process of its own that a test may kill: node watched-run.mjs OPTIONS
import { start } from '../../../dist/src/run.js';
import { flightDelays } from '../../../dist/topologies/flight-delays.js';

const app = await start(flightDelays, { ...JSON.parse(process.argv[2]), stopOn: ['SIGTERM'] });
await app.finished;
