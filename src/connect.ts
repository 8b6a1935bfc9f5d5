// `millrace/connect`: for writing sources, sinks and lookups of your own.

export * from './connect/index.js';
export type { KindSpecs } from './core/connector.js';
export type { IsolatedSink, Isolation, SendingSink, SinkVerification } from './core/kind.js';
export type { Written, WrittenEntry, WrittenOutput } from './core/written.js';
