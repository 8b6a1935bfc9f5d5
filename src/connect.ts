// `millrace/connect`: what sources, sinks and lookups of your own are made of.

export * from './connect/index.js';
export type { KindSpecs } from './core/connector.js';
