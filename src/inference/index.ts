export { createInference, type InferenceOptions } from './service.js';
export type { AnswerStore } from './shared-answers.js';
