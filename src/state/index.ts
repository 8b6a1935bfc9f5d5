export { type Float64Cell, type Float64CellOptions, float64Cell } from './float64-cell.js';
export { hashKey } from './hash.js';
export { type MapCellOptions, mapCell } from './map-cell.js';
export type { MapCell } from './map-contract.js';
export { type RingCell, type RingCellOptions, ringCell } from './ring-cell.js';
export { type TimerCell, type TimerCellOptions, timerCell } from './timer-cell.js';
export { type ValueCell, type ValueCellOptions, valueCell } from './value-cell.js';
export type { Migrate } from './versions.js';
