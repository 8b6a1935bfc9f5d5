// `millrace/connect`: what sources, sinks and lookups of your own are made of.

export type {
  Lookup,
  LookupAnswer,
  LookupDriver,
  LookupReader,
  OutgoingRecord,
  Position,
  RawRecord,
  Sink,
  SinkContext,
  SinkDriver,
  SinkWriter,
  Source,
  SourceDriver,
  SourceReader,
  TaskId,
  WriteMode,
} from './core/index.js';
