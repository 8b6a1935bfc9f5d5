export { type Clock, systemClock } from './clock.js';
export { DurationHistogram } from './histogram.js';
export type { Outage } from './outages.js';
export type { Reply } from './questions.js';
export type { Running, RunOptions, RunSnapshot } from './run.js';
export { runTopology } from './run-topology.js';
export { rx } from './rx.js';
export type { TaskCare } from './supervisor.js';
export type { EpochPoint, TaskSnapshot } from './task.js';
