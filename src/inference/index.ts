export { createInference, type InferenceOptions } from './service.js';
