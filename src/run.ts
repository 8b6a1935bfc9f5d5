// `millrace/run`: topologies inside a Node service of yours: start, watch, ask for state, stop; check and draw.

export { type ProvidedService, provide } from './core/index.js';
export type { Config, ConfigFile } from './profiles/settings.js';
export type { App } from './run/launch.js';
export { type StartOptions, start } from './run/start.js';
export type {
  Outage,
  QueryResult,
  Running,
  RunSnapshot,
  TaskElsewhere,
  TaskHealth,
  TaskSnapshot,
} from './runtime/index.js';
export type { Health } from './server/health.js';
export { check, describe, mermaid, type TopologyProblem } from './topology/index.js';
