// The public API: named re-exports, nothing else.

export * from './aggregates/index.js';
export {
  type Adds,
  type Change,
  type Chunk,
  type DeadLetter,
  type Duration,
  days,
  type ErrorCode,
  type FeatureVector,
  hours,
  type LazyJson,
  type MetricRow,
  MillraceError,
  type MultiInputOperator,
  millis,
  minutes,
  type Operator,
  type Origin,
  type PassedHeaders,
  type Pooling,
  rawOf,
  type Schema,
  type Sink,
  type Source,
  type SplitDefinition,
  type Splitter,
  type StatefulDefinition,
  type StepContext,
  seconds,
  split,
  stateful,
  type Tensor,
  traceHeaders,
  transform,
  type Upsert,
} from './core/index.js';
export * from './ml/features/index.js';
export * from './ml/index.js';
export * from './operators/index.js';
export { defineConfig } from './profiles/config.js';
export type { ConfigFile } from './profiles/settings.js';
export {
  type Outage,
  type Running,
  type RunOptions,
  type RunSnapshot,
  runTopology,
  rx,
  type TaskHealth,
} from './runtime/index.js';
export {
  avro,
  bytes,
  type CsvRow,
  csv,
  type Decimal,
  json,
  jsonSchema,
  ndjson,
  protobuf,
  subjects,
  text,
} from './schema/index.js';
export { float64Cell, mapCell, rescale, ringCell, timerCell, valueCell } from './state/index.js';
export { check, describe, mermaid, type Stream, type Topology, topology } from './topology/index.js';
export { withField } from './util/literals.js';
