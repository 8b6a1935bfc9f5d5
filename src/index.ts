// `millrace`: what a topology file needs. Operators and schemas come from here; what they are given comes from the entry
// point of its subject: `millrace/connectors/*`, `millrace/ml`, `millrace/window`.

export type {
  Adds,
  Change,
  DeadLetter,
  Headers,
  MetricRow,
  MultiInputOperator,
  Operator,
  Origin,
  PassedHeaders,
  Schema,
  Sink,
  Source,
  Splitter,
  Upsert,
} from './core/index.js';
export {
  type Duration,
  days,
  type ErrorCode,
  type ErrorDetails,
  hours,
  MillraceError,
  millis,
  minutes,
  rawOf,
  seconds,
  traceHeaders,
} from './core/index.js';
export * from './operators/index.js';
export { defineConfig } from './profiles/config.js';
export type { ConfigFile } from './profiles/settings.js';
export { rx } from './runtime/rx.js';
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
export {
  type AlertRule,
  type RepartitionOptions,
  type Stream,
  type Topology,
  type TopologyBuilder,
  type TopologyOptions,
  topology,
} from './topology/index.js';
