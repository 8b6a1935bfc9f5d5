export { type ArenaCell, type ArenaCellOptions, arenaCell } from './arena-cell.js';
export { type DroppableCell, droppable } from './droppable-cell.js';
export { type Float64Cell, type Float64CellOptions, float64Cell } from './float64-cell.js';
export { hashKey } from './map/hash.js';
export { type MapCellOptions, mapCell, type PackedMapCellOptions, packedMapCell } from './map/map-cell.js';
export type { MapCell } from './map/map-contract.js';
export { type NumbersByKeyCell, type NumbersByKeyCellOptions, numbersByKeyCell } from './map/numbers-by-key-cell.js';
export { packedKey } from './map/packed-key.js';
export type { Packing } from './map/packed-rows.js';
export { type SetCellOptions, setCell } from './map/set-cell.js';
export type { Pane } from './pane/pane.js';
export { type PaneCell, type PaneCellOptions, paneCell } from './pane/pane-cell.js';
export { rescale } from './rescale.js';
export { type RingCell, type RingCellOptions, ringCell } from './ring-cell.js';
export { type SlotCell, slotCell } from './slot-cell.js';
export { ALL_TIMERS, type TimerCell, type TimerCellOptions, timerCell } from './timer-cell.js';
export {
  type LoggedBytes,
  type UpdateChunk,
  type UpdateLogCell,
  updateChunk,
  updateLogCell,
} from './update-log-cell.js';
export { type ValueCell, type ValueCellOptions, valueCell } from './value-cell.js';
export type { Migrate } from './versions.js';
