export { type CallConnector, type EmbeddedBeside, openBeside, serveCommands } from './beside.js';
export type { StoredHash } from './hashes.js';
export { type Embedded, type EmbeddedOptions, openEmbedded } from './open.js';
export type { CommitStep, StoreHooks } from './store.js';
