// One process of the drill: the topology of the upgrade drill, at most so many records a second.
import { start } from 'millrace/run';
import { v1 } from '../upgrade/topology.js';

const app = await start(v1, {
  profile: 'cluster',
  recordsPerSecondMax: Number(process.env.DRILL_RATE),
  stopOn: ['SIGTERM'],
  onWarning: (message) => process.stderr.write(`${message}\n`),
});
await app.finished;
