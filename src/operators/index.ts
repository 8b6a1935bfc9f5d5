export { type DedupeOptions, dedupe } from './dedupe.js';
export { featurize } from './featurize.js';
export { filter } from './filter.js';
export { flatMap } from './flat-map.js';
export { type InferOptions, type Inferred, infer, type Provider } from './infer.js';
export { type Learned, type LearnOptions, learn } from './learn.js';
export { map } from './map.js';
export { peek } from './peek.js';
export { route } from './route.js';
