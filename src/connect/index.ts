/** What a connector is made of: see CONTRIBUTING, "A connector". */

export type { Position, TaskId } from '../core/checkpoint.js';
export { EARLIEST } from '../core/checkpoint.js';
export {
  type ConnectorContext,
  type ConnectorDefinition,
  type ConnectorSpec,
  defineConnector,
  type Finding,
  type OpenConnector,
} from '../core/connector.js';
export { MillraceError } from '../core/errors.js';

export type {
  KindDefinition,
  KindSpec,
  LookupKind,
  ProfileName,
  SinkKind,
  SourceKind,
  WriteMode,
} from '../core/kind.js';
export type { Lookup, LookupAnswer, LookupDriver, LookupLimits, LookupReader } from '../core/lookup.js';
export { getInHalves as askHalves, MISSING, readAnswer } from '../core/lookup.js';
/** The types that options may have: `option.text`, `option.integer(1)`. */
export * as option from '../core/option-types.js';
export { defaulted, type OptionSpec, type OptionsOf, optional, required, resolve } from '../core/options.js';
export { bytesOf, type Origin, type RawRecord } from '../core/record.js';
export type { Schema, SchemaRegistry } from '../core/schema.js';
export type { Sink, SinkContext, SinkDriver, SinkWriter } from '../core/sink.js';
export {
  type Polled,
  type Source,
  type SourceDriver,
  type SourceOpening,
  type SourceReader,
  sliceOfPoll,
} from '../core/source.js';
export { openCodec, openDecoder, registerSchema } from '../schema/index.js';
export { type BatchingOptions, BatchingWriter } from './batching-writer.js';
export { clockFinding } from './clock-finding.js';
export { lookupOf, sinkOf, sourceOf } from './make.js';
export { SequenceAssigner } from './sequence-assigner.js';
/** The types that settings may have, likewise. */
export * as setting from './setting.js';
export { timing } from './source-options.js';
