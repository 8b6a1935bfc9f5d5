export { createInference, type InferenceOptions } from './service.js';
export { describeModel } from './session/describe.js';
export type { ValueFacts } from './session/metadata.js';
export type { AnswerStore } from './shared-answers.js';
