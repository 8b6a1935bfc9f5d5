export { type Fault, faults } from './chaos.js';
export { Random } from './random.js';
export {
  logOf,
  type Outcome,
  type Scenario,
  type SimLog,
  type StoredVersion,
  type Trial,
  type Versions,
} from './scenario.js';
export type { SimOptions, SimReport } from './sim-report.js';
export { type SimOutput, type SimRow, type SinkKind, same, simSink } from './sim-sinks.js';
export { simSource } from './sim-source.js';
export { simulate } from './simulation.js';
