export * from './accuracy.js';
export * from './calibration.js';
export * from './log-loss.js';
export * from './roc-auc.js';
