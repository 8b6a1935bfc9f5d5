// The public API: named re-exports, nothing else.

export {
  type Adds,
  type Chunk,
  type DeadLetter,
  days,
  type Duration,
  type ErrorCode,
  type FeatureVector,
  hours,
  type Joint,
  joint,
  MillraceError,
  type Metric,
  millis,
  minutes,
  type Operator,
  type Origin,
  type Schema,
  seconds,
  type Sink,
  type Source,
  type SplitDefinition,
  type Splitter,
  split,
  type StatefulDefinition,
  type StepContext,
  stateful,
  transform,
  withField,
} from './core/index.js';
export * from './features/index.js';
export * from './learning/index.js';
export * from './operators/index.js';
export { type RunOptions, type RunSnapshot, type Running, runTopology, rx } from './runtime/index.js';
export { avro, json } from './schema/index.js';
export { float64Cell, mapCell, ringCell, valueCell } from './state/index.js';
export { check, describe, mermaid, type Stream, type Topology, topology } from './topology/index.js';
