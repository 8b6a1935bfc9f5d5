// `millrace/connect`: what sources, sinks and lookups of your own are made of.

export * from './connect/index.js';
export type { KindSpecs } from './core/connector.js';
export type { IsolatedPlace, IsolatedSink, SendingSink, SinkVerification } from './core/kind.js';
export type { Written, WrittenEntry, WrittenOutput } from './core/written.js';
