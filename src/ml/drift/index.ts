export { type AdwinOptions, adwin } from './adwin.js';
export { type DdmOptions, ddm } from './ddm.js';
export type { DriftDetector, DriftEvidence } from './detector.js';
export { type EddmOptions, eddm } from './eddm.js';
export { type HddmOptions, hddmA } from './hddm-a.js';
export { type HddmWOptions, hddmW } from './hddm-w.js';
export { type KswinOptions, kswin } from './kswin.js';
export { type PageHinkleyOptions, pageHinkley } from './page-hinkley.js';
