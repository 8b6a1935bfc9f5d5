// `millrace/window`: how streams are cut into windows, when results are emitted, and what is made of the values.

export * from './aggregates/index.js';
export { type EmitStrategy, onClose, onInterval, onUpdate } from './operators/window/emit-strategy.js';
export {
  type AlignmentOptions,
  counting,
  hopping,
  session,
  sliding,
  tumbling,
  type WindowSpec,
} from './operators/window/spec.js';
