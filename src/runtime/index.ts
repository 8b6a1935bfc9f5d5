export { type Clock, systemClock } from './clock.js';
export { DurationHistogram } from './histogram.js';
export type { Reply } from './questions.js';
export { type Running, type RunOptions, type RunSnapshot, runTopology } from './run.js';
export { rx } from './rx.js';
export type { EpochPoint, TaskSnapshot } from './task.js';
